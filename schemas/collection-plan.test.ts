import { describe, expect, it } from 'vitest';
import { nextTarget, type PlannedTake, planProgress } from './collection-plan.ts';
import { contract, VALID } from './fixtures/plan.ts';
import { parsePlan } from './plan-file.ts';
import { planWords } from './plan-words.ts';

const plan = parsePlan(VALID, 'plan.yaml', contract);

function take(words: Partial<PlannedTake['info']>, outcome: PlannedTake['outcome'] = 'success'): PlannedTake {
  return { info: { task: 'pick it up', operator: 'op-1', ...words }, outcome };
}
const blueLeft = { object: 'blue cup', scene: 'left' };
const left = (...takes: PlannedTake[]) => planProgress(plan, takes).map((each) => each.left);

describe('planProgress()', () => {
  it.each<[string, PlannedTake[], number[]]>([
    ['nothing', [], [2, 1, 1]],
    ['a successful take for the first target that it fits', [take(blueLeft)], [1, 1, 1]],
    [
      'neither failures nor takes without a word',
      [take(blueLeft, 'failure'), { ...take(blueLeft), outcome: undefined }],
      [2, 1, 1],
    ],
    ['nothing that a review discarded', [{ ...take(blueLeft), decision: 'discard' }], [2, 1, 1]],
    ['for the next target that it fits once the first is full', Array(3).fill(take(blueLeft)), [0, 0, 1]],
    ['no take twice, and none beyond the plan', Array(9).fill(take(blueLeft)), [0, 0, 1]],
    ['any scene where the target names none', [take({ object: 'blue cup', scene: 'right' })], [2, 0, 1]],
    ['nothing of another object or of none', [take({ object: 'red cup' }), take({})], [2, 1, 1]],
    [
      'an operator where the target names one',
      [take({ task: 'push it' }), take({ task: 'push it', operator: 'op-2' })],
      [2, 1, 0],
    ],
  ])('counts %s', (_what, takes, expected) => {
    expect(left(...takes)).toEqual(expected);
  });

  it('counts takes whatever their order among others', () => {
    const takes = [take({ object: 'red cup' }), take(blueLeft), take({ task: 'push it', operator: 'op-2' })];
    expect(left(...takes)).toEqual(left(...takes.reverse()));
  });
});

describe('nextTarget()', () => {
  it('is the first with takes left that is not for somebody else', () => {
    const rest = planProgress(plan, Array(3).fill(take(blueLeft)));
    expect(nextTarget(planProgress(plan, []), 'op-1')).toEqual({ target: plan.targets[0], done: 0, left: 2 });
    expect(nextTarget(rest, 'op-2')?.target.task).toBe('push it');
    expect(nextTarget(rest, 'op-1')).toBeUndefined();
  });
});

describe('planWords()', () => {
  const words = (operator: string, ...takes: PlannedTake[]) => {
    const progress = planProgress(plan, takes);
    const done = progress.reduce((sum, each) => sum + each.done, 0);
    return planWords({ next: nextTarget(progress, operator), done, count: 4 });
  };
  const cups = Array(3).fill(take(blueLeft));

  it.each([
    ['what comes next', words('op-1', take(blueLeft)), '1 of 2 left for blue cup, left: pick it up'],
    ['a task alone', words('op-2', ...cups), '1 of 1 left for push it'],
    [
      'that the rest is for others',
      words('op-1', ...cups),
      'What is left of the plan is for other operators: 1 of 4.',
    ],
    [
      'the end',
      words('op-1', ...cups, take({ task: 'push it', operator: 'op-2' })),
      'The plan is complete: 4 takes.',
    ],
  ])('say %s', (_what, said, expected) => {
    expect(said).toBe(expected);
  });
});
