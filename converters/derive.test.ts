import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../schemas/fixtures/episodes.ts';
import { nanosToStamp } from '../schemas/time.ts';
import {
  allFrames,
  EPOCH,
  joints,
  MILLI,
  type TestStream,
  testContract,
  writeTestEpisode,
} from './episode.fixture.ts';
import type { VectorValue } from './frame.ts';

async function valuesOf(stream: TestStream, feature: string): Promise<VectorValue[]> {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  await writeTestEpisode(file, [stream]);
  const contract = testContract(`
streams: { s: { topic: ${stream.topic}, role: motion, type: ${stream.type} } }
features: { f: { kind: vector, stream: s, ${feature} } }
samples: { tickRateHz: 10 }`);
  const { frames, report } = await allFrames(file, contract);
  expect(report.frames).toBe(frames.length);
  expect(frames.map(({ index }) => index)).toEqual(frames.map((_, i) => i));
  return frames.map(({ values }) => values.get('f') as VectorValue);
}

const row = ({ valid, ageNanos, elements }: VectorValue) => [
  valid,
  ageNanos === undefined ? undefined : Number(ageNanos) / 1e6,
  ...[...elements].map((value) => +value.toFixed(6)),
];
const none = [false, undefined, Number.NaN];

/** Ticks at 0, 100, … 500 ms; that at 300 ms has no value. */
const ARM = joints('/arm', { 0: [1], 90: [2], 200: [4], 390: [7], 500: [9] });

test.each<[string, (number | boolean | undefined)[][]]>([
  [
    'derive: next',
    [[true, -90, 2], [true, -100, 4], [false, 0, Number.NaN], [true, -90, 7], [true, -100, 9], none],
  ],
  ['derive: delta', [[true, -90, 1], [true, -100, 2], none, none, [true, -100, 2], none]],
  // 1 in 90 ms, by the instants of the messages.
  ['derive: velocity', [none, [true, 10, 11.111111], [true, 0, 18.181818], none, none, [true, 0, 18.181818]]],
])('deriveFrames() makes values by "%s" of the ticks beside', async (derive, expected) => {
  const values = await valuesOf(ARM, `field: position, shape: [1], ${derive}, toleranceSecs: 0.05`);
  expect(values.map(row)).toEqual(expected);
});

test('deriveFrames() takes values between two messages for those of the tick', async () => {
  const steady = joints('/arm', { 0: [0], 70: [0.7], 130: [1.3], 170: [1.7], 230: [2.3], 300: [3] });
  const values = await valuesOf(
    steady,
    'field: position, shape: [1], derive: velocity, align: linear, toleranceSecs: 0.05',
  );
  expect(values.map(({ elements }) => +elements[0]!.toFixed(9))).toEqual([Number.NaN, 10, 10, 10]);
});

test('deriveFrames() gives no velocity where one message served two ticks', async () => {
  const values = await valuesOf(
    joints('/arm', { 0: [0], 200: [1] }),
    'field: position, shape: [1], derive: velocity, toleranceSecs: 0.15',
  );
  expect(values.map(({ valid }) => valid)).toEqual([false, false, true]);
});

test('deriveFrames() makes the way and the turn of a pose to the next tick', async () => {
  const at = (millis: number, x: number, yaw: number) => ({
    log: millis,
    value: {
      transforms: [
        {
          header: { stamp: nanosToStamp(EPOCH + BigInt(millis) * MILLI), frame_id: 'base' },
          child_frame_id: 'hand',
          transform: {
            translation: { x, y: 0, z: 1 },
            // The sign of a quaternion means nothing.
            rotation: { x: 0, y: 0, z: -Math.sin(yaw / 2), w: -Math.cos(yaw / 2) },
          },
        },
      ],
    },
  });
  const values = await valuesOf(
    {
      topic: '/tf',
      type: 'tf2_msgs/msg/TFMessage',
      messages: [at(0, 1, 3), at(100, 1.5, 3.4), at(200, 1.5, 3.3)],
    },
    'transform: { target: base, source: hand }, shape: [6], derive: delta, toleranceSecs: 0.05',
  );
  expect(values.map(row)).toEqual([
    [true, -100, 0.5, 0, 0, 0, 0, 0.4],
    [true, -100, 0, 0, 0, 0, 0, -0.1],
    [...none, ...Array.from({ length: 5 }, () => Number.NaN)],
  ]);
});

test('VectorReader normalises a gripper to what is closed and what is open', async () => {
  const values = await valuesOf(
    joints('/arm', { 0: [80], 100: [0], 200: [100] }),
    'field: position, shape: [1], sourceUnit: mm, unit: m, normalize: [0, 0.08], toleranceSecs: 0.05',
  );
  expect(values.map(({ elements }) => +elements[0]!.toFixed(9))).toEqual([1, 0, 1.25]);
});
