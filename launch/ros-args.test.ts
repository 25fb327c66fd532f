import { describe, expect, it } from 'vitest';
import { rosArgsOf, splitRosArgs } from './ros-args.ts';

describe('splitRosArgs()', () => {
  it.each([
    ['none', 'record -c a.yaml', 'record -c a.yaml', ''],
    [
      'those at the end',
      'record -c a.yaml --ros-args -r __node:=n -p use_sim_time:=true',
      'record -c a.yaml',
      '-r __node:=n -p use_sim_time:=true',
    ],
    ['those in the middle', 'play --ros-args -r a:=b -- e.mcap --loop', 'play e.mcap --loop', '-r a:=b'],
    ['two groups', '--ros-args -p a:=1 -- x --ros-args -p b:=2', 'x', '-p a:=1 -p b:=2'],
    ['none after a lone "--"', 'info -- --all', 'info -- --all', ''],
  ])('takes %s', (_name, line, own, rosArgs) => {
    const words = (text: string) => text.split(' ').filter((word) => word !== '');
    expect(splitRosArgs(words(line))).toEqual({ own: words(own), rosArgs: words(rosArgs) });
  });
});

describe('rosArgsOf()', () => {
  it('is empty where none were given', () => {
    expect(rosArgsOf({})).toEqual([]);
    expect(rosArgsOf({ rosArgs: ['-p', 'a:=1'] })).toEqual(['-p', 'a:=1']);
  });
});
