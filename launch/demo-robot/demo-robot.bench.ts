import { expect, test } from 'vitest';
import { recordTake } from './take.fixture.ts';
import { World } from './world.ts';

/**
 * The simulated robot as multiples of real time per CPU second: everything, and the physics with its
 * controller alone. CPU time, because the machine may be busy with other things.
 */
const DURATION_SECS = 10;

async function realTimeFactor(run: () => Promise<void>): Promise<number> {
  await run(); // compiled by now
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return DURATION_SECS / ((user + system) / 1e6);
}

test('DemoRobot: all streams, both cameras, encoded', { timeout: 120_000 }, async () => {
  const factor = await realTimeFactor(async () => {
    const { messages } = await recordTake({ durationSecs: DURATION_SECS });
    expect(messages.length).toBeGreaterThan(1000 * DURATION_SECS);
  });
  console.log(`all streams: ${factor.toFixed(1)} s simulated per CPU second`);
});

test('DemoRobot: physics and controller', { timeout: 120_000 }, async () => {
  const factor = await realTimeFactor(async () => {
    const world = await World.create({ seed: 1, startTime: 0n, faults: [], durationSecs: DURATION_SECS });
    while (!world.isOver) world.step();
  });
  console.log(`physics: ${factor.toFixed(1)} s simulated per CPU second`);
});
