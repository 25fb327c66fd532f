import { expect, test } from 'vitest';
import type { Fault } from './faults.ts';
import type { Phase } from './pick-and-place.ts';
import { BLOCK_AT } from './state.ts';
import type { DemoTruth } from './truth.ts';
import { World } from './world.ts';

const secs = (instant: string) => Number(instant) / 1e9;

/** Runs the physics alone to its end. */
async function run(seed: number, faults: readonly Fault[] = [], durationSecs?: number) {
  const world = await World.create({
    ...{ seed, faults, startTime: 0n },
    ...(durationSecs === undefined ? {} : { durationSecs }),
  });
  let peak = 0;
  while (!world.isOver) peak = Math.max(peak, world.step().after.qpos[BLOCK_AT + 2]!);
  return { truth: world.truth.finish(world.timeSecs), peak };
}

const spanOf = ({ phases }: DemoTruth, wanted: Phase) => {
  const { startTime, endTime } = phases.find(({ phase }) => phase === wanted)!;
  return [secs(startTime), secs(endTime)] as const;
};

test.each([1, 23])('World lifts the block and places it on the target with seed %i', async (seed) => {
  const { truth, peak } = await run(seed);
  expect(truth.tasks).toMatchObject([{ success: true }]);
  expect(truth.tasks[0]!.missMetres).toBeLessThan(0.01);
  expect(peak).toBeGreaterThan(0.13);
  const [x, y] = truth.block.at(-1)!.position;
  const [targetX, targetY] = truth.tasks[0]!.target;
  expect(Math.hypot(x! - targetX!, y! - targetY!)).toBeCloseTo(truth.tasks[0]!.missMetres, 4);
});

test('World fails the task when the grasp is missed', async () => {
  const { truth, peak } = await run(1, [{ kind: 'missed-grasp' }]);
  expect(truth.tasks).toMatchObject([{ success: false }]);
  expect(truth.grasps).toEqual([]);
  expect(peak).toBeLessThan(0.021);
  const { span } = truth.faults[0]!;
  expect([secs(span!.startTime), secs(span!.endTime)]).toEqual([
    spanOf(truth, 'grasp')[0],
    spanOf(truth, 'release')[0],
  ]);
});

test('World goes on with task after task for the time given, the second one from where the first ended', async () => {
  const { truth } = await run(2, [{ kind: 'missed-grasp' }], 26);
  expect(truth.tasks.map(({ success }) => success)).toEqual([false, true, false]);
  expect(secs(truth.endTime)).toBe(26);
  expect(truth.tasks.map(({ startTime }) => startTime).slice(1)).toEqual(
    truth.tasks.map(({ endTime }) => endTime).slice(0, -1),
  );
});

test('World goes through the phases of the task and holds the block from the grasp to the release', async () => {
  const { truth } = await run(4);
  const [graspFrom, graspTo] = spanOf(truth, 'grasp');
  const [releaseFrom, releaseTo] = spanOf(truth, 'release');
  expect(truth.grasps).toHaveLength(1);
  const held = truth.grasps[0]!;
  expect(secs(held.startTime)).toBeGreaterThan(graspFrom);
  expect(secs(held.startTime)).toBeLessThan(graspTo);
  expect(secs(held.endTime)).toBeGreaterThan(releaseFrom);
  expect(secs(held.endTime)).toBeLessThan(releaseTo);
  const onTable = truth.contacts.filter(({ pair }) => pair === 'block-table');
  expect(onTable).toHaveLength(2);
  expect(secs(onTable[0]!.endTime)).toBeGreaterThan(spanOf(truth, 'lift')[0]);
  expect(secs(onTable[1]!.startTime)).toBeLessThan(spanOf(truth, 'place')[1]);

  // Phases cover the time without a gap.
  expect(truth.phases.map(({ phase }) => phase)).toEqual([
    ...['rest', 'approach', 'descend', 'grasp', 'lift', 'transport', 'place', 'release', 'retreat', 'rest'],
  ]);
  expect(truth.phases[0]!.startTime).toBe(truth.startTime);
  expect(truth.phases.at(-1)!.endTime).toBe(truth.endTime);
  expect(truth.phases.slice(1).map(({ startTime }) => startTime)).toEqual(
    truth.phases.slice(0, -1).map(({ endTime }) => endTime),
  );
});
