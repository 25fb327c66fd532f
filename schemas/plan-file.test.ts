import { describe, expect, it } from 'vitest';
import { PlanError, UsageError } from './errors.ts';
import { contract, VALID } from './fixtures/plan.ts';
import { parsePlan, readPlan } from './plan-file.ts';

describe('parsePlan()', () => {
  it.each([
    ['a misspelt key', 'count: 2', 'cuont: 2', 3, 'did you mean "count"?'],
    ['a count of none', 'count: 2', 'count: 0', 3, '>0'],
    ['no target', VALID.slice(VALID.indexOf('targets')), 'targets: []\n', 2, '>=1'],
    [
      'a task that the contract does not list',
      'push it',
      'pull it',
      5,
      '"pick it up", "push it"; found "pull',
    ],
    ['an object that the contract does not list', 'blue cup, count', 'green cup, count', 4, 'objects are'],
    ['a scene that the contract does not list', 'scene: left', 'scene: up', 3, 'found "up"'],
  ])('points at %s', (_what, from, to, line, rule) => {
    const parse = () => parsePlan(VALID.replace(from, to), 'plan.yaml', contract);
    expect(parse).toThrow(PlanError);
    expect(parse).toThrow(`plan.yaml:${line}:`);
    expect(parse).toThrow(rule);
  });
});

it('readPlan() names a file that is not there', async () => {
  await expect(readPlan('/nowhere/plan.yaml', contract)).rejects.toThrow(UsageError);
});
