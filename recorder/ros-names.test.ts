import { describe, expect, it } from 'vitest';
import { RosNames } from './ros-names.ts';

/** As rcl resolves names in the namespace `/cell`, under the rules given. */
function namesUnder(...rules: readonly (readonly [string, string])[]): RosNames {
  const expand = (name: string) => (name.startsWith('/') ? name : `/cell/${name}`);
  const resolveTopicName = (name: string, onlyExpand = false) => {
    const rule = onlyExpand ? undefined : rules.find(([from]) => expand(from) === expand(name));
    return expand(rule?.[1] ?? name);
  };
  const args = rules.flatMap(([from, to]) => ['-r', `${from}:=${to}`]);
  return new RosNames({ resolveTopicName }, [...args, '-r', '__node:=taker', '-p', 'a:=b']);
}

describe('RosNames', () => {
  it('leaves names alone where nothing is remapped', () => {
    const names = namesUnder();
    expect(names.own('/joints')).toBe('/joints');
    expect(names.graph('/joints')).toBe('/joints');
  });

  it('gives a topic of the graph the name that it has for the node', () => {
    const names = namesUnder(['/joints', '/left/joints'], ['wrench', '/left/wrench']);
    expect(names.own('/left/joints')).toBe('/joints');
    expect(names.graph('/joints')).toBe('/left/joints');
    expect(names.own('/left/wrench')).toBe('/cell/wrench');
    expect(names.own('/tf')).toBe('/tf');
  });

  it('does not know a topic of the graph whose name another one has here', () => {
    const names = namesUnder(['/joints', '/left/joints']);
    expect(names.own('/joints')).toBeUndefined();
  });

  it('lets two topics change their names', () => {
    const names = namesUnder(['/left', '/right'], ['/right', '/left']);
    expect([names.own('/left'), names.own('/right')]).toEqual(['/right', '/left']);
  });
});
