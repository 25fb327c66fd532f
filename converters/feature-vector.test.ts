import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../schemas/fixtures/episodes.ts';
import { convertEpisodes } from './convert.ts';
import {
  allFrames,
  joints,
  type TestStream,
  testContract,
  testContractFile,
  writeTestEpisode,
} from './episode.fixture.ts';
import type { VectorValue } from './frame.ts';
import { lerobot } from './lerobot/lerobot.ts';
import { webdataset } from './webdataset/webdataset.ts';

const half = Math.SQRT1_2;

async function valuesOf(streams: readonly TestStream[], contract: string): Promise<VectorValue[]> {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  await writeTestEpisode(file, streams);
  const { frames } = await allFrames(file, testContract(contract));
  return frames.map(({ values }) => values.get('f') as VectorValue);
}

const rounded = ({ elements }: VectorValue) => [...elements].map((value) => +value.toFixed(6));

/** Poses at instants in milliseconds: x, and a quaternion. */
function poses(at: Readonly<Record<number, readonly [number, ...number[]]>>): TestStream {
  const messages = Object.entries(at).map(([log, [x, ...q]]) => ({
    log: Number(log),
    value: {
      pose: { position: { x, y: 0, z: 0 }, orientation: { x: q[0], y: q[1], z: q[2], w: q[3] } },
    },
  }));
  return { topic: '/arm', type: 'geometry_msgs/msg/PoseStamped', messages };
}

const contractOf = (type: string, feature: string, tickRateHz = 10) => `
streams: { arm: { topic: /arm, role: motion, type: ${type} } }
features: { f: { kind: vector, stream: arm, ${feature} } }
samples: { tickRateHz: ${tickRateHz} }`;

const POSE = 'geometry_msgs/msg/PoseStamped';
const JOINTS = 'sensor_msgs/msg/JointState';

test('VectorReader puts all values since the tick before into a window, the newest last', async () => {
  const values = await valuesOf(
    [
      joints('/arm', {
        0: [0, 0.5],
        40: [4, 4.5],
        80: [8, 8.5],
        100: [10, 10.5], // at the tick: belongs to it
        101: [11, 11.5], // to the next one
        110: [12, 12.5],
        150: [15, 15.5],
        190: [19, 19.5], // the fourth of three slots: 101 is left out
        330: [33, 33.5], // 70 ms before its tick: too old
        500: [50, 50.5],
      }),
    ],
    contractOf(JOINTS, 'field: position, shape: [3, 2], align: window, toleranceSecs: 0.05'),
  );
  const NaNs = (count: number) => Array.from({ length: count }, () => Number.NaN);
  expect(values.map(rounded)).toEqual([
    [...NaNs(4), 0, 0.5],
    [4, 4.5, 8, 8.5, 10, 10.5],
    [12, 12.5, 15, 15.5, 19, 19.5],
    NaNs(6),
    NaNs(6),
    [...NaNs(4), 50, 50.5],
  ]);
  expect(values.map(({ window }) => [...window!.ageSecs].map((age) => +age.toFixed(6)))).toEqual([
    [...NaNs(2), 0],
    [0.06, 0.02, 0],
    [0.09, 0.05, 0.01],
    NaNs(3),
    NaNs(3),
    [...NaNs(2), 0],
  ]);
  expect(values.map(({ window }) => window!.leftOut)).toEqual([0, 0, 1, 0, 0, 0]);
  expect(values.map(({ valid }) => valid)).toEqual([true, true, true, false, false, true]);
  expect(values.map(({ ageNanos }) => ageNanos && Number(ageNanos) / 1e6)).toEqual([
    0n,
    0n,
    10,
    undefined,
    70,
    0n,
  ]);
});

test('VectorReader unpacks audio: the chunks since the tick before, each of two samples', async () => {
  const chunk = (...samples: number[]) => ({ data: new Uint8Array(Int16Array.from(samples).buffer) });
  const sound: TestStream = {
    topic: '/arm',
    type: 'audio_common_msgs/msg/AudioData',
    messages: [
      { log: 0, value: chunk(1, 2) },
      { log: 60, value: chunk(16_384, -32_768) },
      { log: 100, value: chunk(-1, 32_767) },
    ],
  };
  const contract = (rest: string) =>
    contractOf(
      sound.type,
      `field: data, packed: int16, align: window, toleranceSecs: 0.1, shape: [2, 2]${rest}`,
    ).replace('samples: {', 'samples: { clock: log,');
  const values = await valuesOf([sound], contract(', normalize: [0, 32768]'));
  const nan = Number.NaN;
  expect([...values[0]!.elements]).toEqual([nan, nan, 1 / 32_768, 2 / 32_768]);
  expect([...values[1]!.elements]).toEqual([0.5, -1, -1 / 32_768, 32_767 / 32_768]);
  const odd = { ...sound, messages: [{ log: 0, value: { data: Uint8Array.of(1, 2, 3) } }] };
  await expect(valuesOf([odd], contract(''))).rejects.toThrow(/field "data" holds no pairs of bytes/);
});

test('VectorReader turns rotations evenly and moves positions on the line by slerp', async () => {
  const values = await valuesOf(
    // A quarter turn about z, sent with the other sign.
    [
      poses({
        0: [0, 0, 0, 0, 1],
        50: [1, 0, 0, 0, 1],
        150: [3, 0, 0, -half, -half],
        200: [3, 0, 0, half, half],
      }),
    ],
    contractOf(POSE, 'field: pose, shape: [7], align: slerp, toleranceSecs: 0.1'),
  );
  const eighth = Math.PI / 8;
  expect(values.map(rounded)).toEqual([
    [0, 0, 0, 0, 0, 0, 1],
    [2, 0, 0, 0, 0, +Math.sin(eighth).toFixed(6), +Math.cos(eighth).toFixed(6)],
    [3, 0, 0, 0, 0, +half.toFixed(6), +half.toFixed(6)],
  ]);
});

test.each([
  ['rotation: rotation6d, shape: [9]', [2, 0, 0, 0, -1, 0, 1, 0, 0]],
  ['rotation: rotvec, shape: [6]', [2, 0, 0, 0, 0, 1.570796]],
  ['rotation: rpy, shape: [6]', [2, 0, 0, 0, 0, 1.570796]],
  ['rotation: rpy, shape: [6], unit: m, sourceUnit: mm', [0.002, 0, 0, 0, 0, 1.570796]],
])('VectorReader writes a pose with %s', async (rest, expected) => {
  const [value] = await valuesOf(
    [poses({ 0: [2, 0, 0, half, half] })],
    contractOf(POSE, `field: pose, ${rest}, toleranceSecs: 0.1`),
  );
  expect(rounded(value!).map((each) => each + 0)).toEqual(expected);
});

test('VectorReader takes four plain numbers for a rotation and brings degrees to radians', async () => {
  const [rotation] = await valuesOf(
    [joints('/arm', { 0: [0, 0, half, half] })],
    contractOf(JOINTS, 'field: position, rotation: rpy, shape: [3], toleranceSecs: 0.1'),
  );
  expect(rounded(rotation!)).toEqual([0, 0, 1.570796]);
  const [angle] = await valuesOf(
    [joints('/arm', { 0: [90, -45] })],
    contractOf(JOINTS, 'field: position, unit: rad, sourceUnit: deg, shape: [2], toleranceSecs: 0.1'),
  );
  expect(rounded(angle!)).toEqual([1.570796, -0.785398]);
});

test.each([
  ['field: pose.position, rotation: rpy, shape: [3]', POSE, /field "pose.position" holds no rotation/],
  ['field: pose, rotation: rpy, shape: [7]', POSE, /holds 6 numbers, shape \[7\] asks for 7/],
  ['field: pose, rotation: rpy, shape: [6]', POSE, /the quaternion 0, 0, 0, 0, which is no rotation/],
  [
    'field: pose, shape: [3, 6], align: window',
    POSE,
    /holds 7 numbers, shape \[6\] asks for 6 for each slot/,
  ],
])('VectorReader says what is wrong with %s', async (feature, type, message) => {
  const zero = poses({ 0: [1, 0, 0, 0, feature.includes('[6]') && !feature.includes('window') ? 0 : 1] });
  await expect(valuesOf([zero], contractOf(type, `${feature}, toleranceSecs: 0.1`))).rejects.toThrow(message);
});

test('convertEpisodes() carries windows, their ages and empty slots into datasets that verify', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  const every = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [i * 12, [i, -i]]));
  await writeTestEpisode(file, [joints('/arm', every)]);
  const contract = testContractFile(
    contractOf(JOINTS, 'field: position, shape: [9, 2], align: window, toleranceSecs: 0.05'),
  );
  const formats = [webdataset, lerobot];
  const { datasets } = await convertEpisodes([file], {
    contract,
    formats,
    directory: join(folder.path, 'out'),
    version: '0.0.0',
  });
  for (const [i, { directory }] of datasets.entries())
    expect(await formats[i]!.verify(directory)).toEqual([]);
});
