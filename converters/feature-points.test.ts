import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../schemas/fixtures/episodes.ts';
import type { MessageValue } from '../schemas/message.ts';
import { allFrames, testContract, writeTestEpisode } from './episode.fixture.ts';

const FLOAT32 = 7;
const UINT16 = 4;
const FIELDS = [
  { name: 'x', offset: 0, datatype: FLOAT32, count: 1 },
  { name: 'y', offset: 4, datatype: FLOAT32, count: 1 },
  { name: 'z', offset: 8, datatype: FLOAT32, count: 1 },
  { name: 'rgb', offset: 16, datatype: FLOAT32, count: 1 },
  { name: 'ring', offset: 20, datatype: UINT16, count: 1 },
];

type Point = readonly [x: number, y: number, z: number, rgb?: number, ring?: number];

/** Two rows, each with four bytes at its end that belong to no point. */
function cloud(points: readonly Point[], isBigEndian = false): MessageValue {
  const [width, pointStep] = [points.length / 2, 24];
  const rowStep = width * pointStep + 4;
  const view = new DataView(new ArrayBuffer(2 * rowStep));
  for (const [i, [x, y, z, rgb = 0, ring = 0]] of points.entries()) {
    const at = Math.floor(i / width) * rowStep + (i % width) * pointStep;
    for (const [axis, number] of [x, y, z].entries()) view.setFloat32(at + 4 * axis, number, !isBigEndian);
    view.setUint32(at + 16, rgb, !isBigEndian);
    view.setUint16(at + 20, ring, !isBigEndian);
  }
  return {
    ...{ width, height: 2, fields: FIELDS, is_bigendian: isBigEndian, is_dense: false },
    ...{ point_step: pointStep, row_step: rowStep, data: new Uint8Array(view.buffer) },
  };
}

/** The points of one message, row by row. */
async function pointsOf(message: MessageValue, rest: string): Promise<number[][]> {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  const type = 'sensor_msgs/msg/PointCloud2';
  await writeTestEpisode(file, [{ topic: '/lidar', type, messages: [{ log: 0, value: message }] }]);
  const { frames } = await allFrames(
    file,
    testContract(`
streams: { lidar: { topic: /lidar, role: perception, type: ${type} } }
features: { points: { kind: points, stream: lidar, toleranceSecs: 0.1, ${rest} } }
samples: { tickRateHz: 10 }`),
  );
  const value = frames[0]!.values.get('points')!;
  if (value.kind !== 'vector' || value.feature.kind !== 'points') throw new TypeError(value.kind);
  const width = value.feature.fields.length;
  return Array.from({ length: value.elements.length / width }, (_, i) => [
    ...value.elements.subarray(i * width, (i + 1) * width),
  ]);
}

const nan = Number.NaN;
const POINTS: readonly Point[] = [
  [1, 2, 3, 0x112233, 7],
  [nan, 0, 0],
  [0, 3, 4, 0xff0001, 65_535],
  [10, 0, 0],
];

test.each([false, true])('PointsReader reads fields where they lie, big-endian: %s', async (isBigEndian) => {
  const points = await pointsOf(cloud(POINTS, isBigEndian), 'count: 4, fields: [z, r, g, b, ring, real]');
  expect(points).toEqual([
    [3, 0x11, 0x22, 0x33, 7, 1],
    [4, 0xff, 0, 1, 65_535, 1],
    [0, 0, 0, 0, 0, 1],
    // Nothing came back for one of the four.
    [nan, nan, nan, nan, nan, 0],
  ]);
});

test.each([
  ['{ distance: [0, 5] }', [[1], [0]]],
  ['{ distance: [5, 5], y: [3, 3] }', [[0]]],
  ['{ x: [0.5, 20] }', [[1], [10]]],
  ['{ ring: [1, 100] }', [[1]]],
])('PointsReader takes points within %s', async (within, expected) => {
  const points = await pointsOf(cloud(POINTS), `count: 4, fields: [x], within: ${within}`);
  expect(points).toEqual([...expected, ...Array.from({ length: 4 - expected.length }, () => [nan])]);
});

test('PointsReader draws as many as asked for, in order, alike for a seed and evenly over seeds', async () => {
  const line = cloud(Array.from({ length: 10 }, (_, x): Point => [x, 0, 0]));
  const draw = async (seed: number) =>
    (await pointsOf(line, `count: 4, fields: [x], seed: ${seed}`)).map(([x]) => x!);
  expect(await draw(5)).toEqual(await draw(5));
  const drawn = new Map<number, number>();
  for (let seed = 0; seed < 100; seed++) {
    const points = await draw(seed);
    expect(points).toEqual([...new Set(points)].sort((a, b) => a - b));
    expect(points).toHaveLength(4);
    for (const x of points) drawn.set(x, (drawn.get(x) ?? 0) + 1);
  }
  // 40 times each on average; 20 apart is four standard deviations.
  for (let x = 0; x < 10; x++) expect(Math.abs(drawn.get(x)! - 40)).toBeLessThan(20);
});

test('PointsReader takes all points of a cloud that has no more than asked for', async () => {
  const number = fc.integer({ min: -100, max: 100 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(number, number, number), { minLength: 1, maxLength: 6 }),
      async (half) => {
        const points = [...half, ...half];
        const read = await pointsOf(cloud(points), `count: ${points.length}`);
        expect(read).toEqual(points);
      },
    ),
    { seed: 3, numRuns: 20 },
  );
});

test.each<[string, MessageValue, string, RegExp]>([
  ['a misspelt field', cloud(POINTS), 'count: 1, fields: [rinq]', /no field "rinq"; did you mean "ring"\?/],
  [
    'a field that is not there',
    cloud(POINTS),
    'count: 1, fields: [intensity]',
    /there are: x, y, z, rgb, ring/,
  ],
  ['too few bytes', { ...cloud(POINTS), height: 3 }, 'count: 1', /104 bytes do not hold 3 rows of 2 points/],
  [
    'an unknown number',
    { ...cloud(POINTS), fields: FIELDS.map((field) => ({ ...field, datatype: 9 })) },
    'count: 1',
    /unknown type 9/,
  ],
])('PointsReader says what is wrong with %s', async (_, message, rest, fault) => {
  await expect(pointsOf(message, rest)).rejects.toThrow(fault);
});
