import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../schemas/fixtures/episodes.ts';
import {
  allFrames,
  EPOCH,
  jointState,
  MILLI,
  type TestMessage,
  testContract,
  writeTestEpisode,
} from './episode.fixture.ts';

const SECS = 30;

/** Two arms at 50 Hz whose position is the instant in seconds; the second one's clock is 3.7 s ahead and drifts. */
function arm(topic: string, stamp: (millis: number) => number) {
  const messages = Array.from({ length: SECS * 50 }, (_, i): TestMessage => {
    const measured = i * 20 + 1;
    // Queues hold every seventh message up.
    return {
      stamp: stamp(measured),
      log: measured + 4 + (i % 7 === 0 ? 15 : 0),
      value: jointState([measured / 1000]),
    };
  });
  return { topic, type: 'sensor_msgs/msg/JointState' as const, messages };
}

const contract = (own: string, tolerance = 0.03) =>
  testContract(`
streams:
  near: { topic: /near, role: motion, type: sensor_msgs/msg/JointState }
  far: { topic: /far, role: motion, type: sensor_msgs/msg/JointState${own} }
features:
  near: { kind: vector, stream: near, field: position, shape: [1], toleranceSecs: ${tolerance} }
  far: { kind: vector, stream: far, field: position, shape: [1], toleranceSecs: ${tolerance} }
samples: { tickRateHz: 50 }`);

async function framesOf(stamp: (millis: number) => number, own: string) {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  await writeTestEpisode(file, [arm('/near', (millis) => millis), arm('/far', stamp)]);
  const { frames, report } = await allFrames(file, contract(own));
  const rows = frames.map(({ tickTime, values }) => {
    const [near, far] = ['near', 'far'].map((key) => values.get(key)!);
    const position = far!.kind === 'vector' ? far!.elements[0]! : Number.NaN;
    const truth = Number((tickTime - EPOCH) / MILLI) / 1000;
    return { truth, near: near!.valid, far: far!.valid, behindSecs: truth - position };
  });
  return { rows, report };
}

test('surveyClocks() brings a foreign clock to the recorder’s, and says by how much', async () => {
  const { rows, report } = await framesOf((millis) => millis * (1 + 80e-6) + 3700, ', clockOffset: estimate');
  const { offset, steps } = report.clocks.get('far')!;
  // -3.7 s and the transport's shortest latency of 4 ms.
  expect(offset!.offsetSecs).toBeCloseTo(-3.696, 5);
  expect(offset!.driftPpm).toBeCloseTo(-80, 1);
  expect(steps).toEqual([]);
  expect(report.clocks.get('near')!.offset).toBeUndefined();
  expect(rows.length).toBeGreaterThan(SECS * 50 - 5);
  // The latency cannot be told from the offset: values seem 4 ms younger than they are.
  for (const { far, behindSecs } of rows) {
    expect(far).toBe(true);
    expect(behindSecs).toBeGreaterThanOrEqual(0);
    expect(behindSecs).toBeLessThanOrEqual(0.0241);
  }
});

test('surveyClocks() leaves out what was stamped by a clock that had been set wrong', async () => {
  const { rows, report } = await framesOf(
    (millis) => (millis >= 6000 && millis < 7000 ? millis + 1500 : millis),
    '',
  );
  expect(report.clocks.get('far')!.steps).toEqual([
    { startTime: EPOCH + 6005n * MILLI, endTime: EPOCH + 7020n * MILLI, stepSecs: 1.5, messages: 50 },
  ]);
  for (const { truth, near, far, behindSecs } of rows) {
    expect(near).toBe(true);
    // The last honest message before lies at 5.981 s, the first one after at 7.001 s.
    expect(far).toBe(!(truth > 6.011 && truth < 7.001));
    if (far) expect(behindSecs).toBeLessThanOrEqual(0.03);
  }
});
