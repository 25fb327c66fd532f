import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { convertEpisodes } from '../converters/convert.ts';
import {
  jointState,
  type TestStream,
  testContractFile,
  writeTestEpisode,
} from '../converters/episode.fixture.ts';
import { readParquetRows } from '../converters/parquet-reader.ts';
import { verifyAgainst } from '../converters/verify-against.ts';
import { temporaryFolder } from '../schemas/fixtures/episodes.ts';
import { appendLabel } from '../schemas/labels.ts';
import { FORMATS } from './formats.ts';

const SECS = 1;
const every = (rateHz: number) => Array.from({ length: SECS * rateHz }, (_, i) => (i * 1000) / rateHz);

/** A robot whose streams come at 5, 30, 60 and 300 Hz. */
const STREAMS: readonly TestStream[] = [
  {
    topic: '/arm',
    type: 'sensor_msgs/msg/JointState',
    messages: every(60).map((log, i) => ({ log, value: jointState([Math.sin(i / 9), i / 60]) })),
  },
  {
    topic: '/force',
    type: 'geometry_msgs/msg/WrenchStamped',
    messages: every(300).map((log, i) => ({
      log,
      value: { wrench: { force: { x: i, y: -i, z: 0.5 }, torque: { x: 0, y: 0, z: 0 } } },
    })),
  },
  {
    topic: '/depth',
    type: 'sensor_msgs/msg/Image',
    messages: every(30).map((log, i) => ({
      log,
      value: {
        ...{ width: 4, height: 2, step: 8, encoding: '16UC1', is_bigendian: 0 },
        data: new Uint8Array(Uint16Array.from({ length: 8 }, (_, at) => at * 100 + i).buffer),
      },
    })),
  },
  {
    topic: '/camera',
    type: 'sensor_msgs/msg/Image',
    messages: every(30).map((log, i) => ({
      log,
      value: {
        ...{ width: 64, height: 64, step: 64, encoding: 'mono8', is_bigendian: 0 },
        data: new Uint8Array(64 * 64).fill(3 * i),
      },
    })),
  },
  {
    topic: '/lidar',
    type: 'sensor_msgs/msg/PointCloud2',
    messages: every(5).map((log, i) => ({
      log,
      value: {
        fields: ['x', 'y', 'z'].map((name, at) => ({ name, offset: at * 4, datatype: 7, count: 1 })),
        ...{ width: 3, height: 1, point_step: 12, row_step: 36, is_bigendian: false, is_dense: true },
        data: new Uint8Array(Float32Array.from({ length: 9 }, (_, at) => at + i).buffer),
      },
    })),
  },
  {
    topic: '/said',
    type: 'std_msgs/msg/String',
    messages: [{ log: 500, value: { data: 'höher' } }],
  },
];

const contract = (text: string) =>
  testContractFile(`
streams:
  arm: { topic: /arm, role: motion, type: sensor_msgs/msg/JointState }
  force: { topic: /force, role: interaction, type: geometry_msgs/msg/WrenchStamped }
  depth: { topic: /depth, role: perception, type: sensor_msgs/msg/Image }
  camera: { topic: /camera, role: perception, type: sensor_msgs/msg/Image }
  lidar: { topic: /lidar, role: perception, type: sensor_msgs/msg/PointCloud2 }
  said: { topic: /said, role: context, type: std_msgs/msg/String, required: false, clock: log }
features:
  observation.state: { kind: vector, stream: arm, field: position, shape: [2], toleranceSecs: 0.05 }
  observation.velocity: { kind: vector, stream: arm, field: position, derive: velocity, shape: [2], toleranceSecs: 0.05 }
  observation.force: { kind: vector, stream: force, field: wrench.force, align: window, shape: [11, 3], toleranceSecs: 0.02 }
  observation.depth: { kind: depth, stream: depth, width: 2, height: 2, unit: mm, toleranceSecs: 0.05 }
  observation.metres: { kind: depth, stream: depth, width: 4, height: 2, toleranceSecs: 0.05 }
  observation.points: { kind: points, stream: lidar, count: 4, fields: [x, y, z, real], toleranceSecs: 0.3 }
  observation.images.front: { kind: image, stream: camera, width: 64, height: 64, toleranceSecs: 0.05 }
  observation.images.goal: { kind: image, stream: camera, width: 64, height: 64, at: goal, toleranceSecs: 0.05 }
${text}
  action: { kind: vector, stream: arm, field: position, derive: next, shape: [2], toleranceSecs: 0.05 }
  next.reward: { kind: outcome, value: reward }
  next.done: { kind: outcome, value: done }
  return: { kind: outcome, value: return, discount: 0.99 }
samples: { tickRateHz: 30, observationSteps: 2, horizon: 4 }`);

const TEXT = '  observation.said: { kind: text, stream: said, toleranceSecs: 0.5 }';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let file: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  file = join(folder.path, 'a.mcap');
  await writeTestEpisode(file, STREAMS);
  const label = { kind: 'outcome', value: 'success' } as const;
  await appendLabel(file, { author: 'r1', time: '2026-11-22T09:00:00Z', label });
});
afterAll(() => folder[Symbol.asyncDispose]());

/** Converts and holds every dataset against the recording. */
async function convert(names: readonly string[], text: string): Promise<void> {
  const under = contract(text);
  const formats = names.map((name) => FORMATS.get(name)!);
  const { datasets, late, skipped } = await convertEpisodes([file], {
    ...{ formats, directory: folder.path, version: '0.0.0', contract: under, keepPrepared: false },
  });
  expect([late, skipped]).toEqual([[], []]);
  for (const [i, { directory, manifest }] of datasets.entries()) {
    const format = formats[i]!;
    expect(await format.verify(directory)).toEqual([]);
    const options = { recordings: [file], contract: under, pictures: 1 };
    expect((await verifyAgainst(directory, { manifest, format }, options)).faults).toEqual([]);
  }
}

const WITH_TEXT = ['lerobot', 'lerobot-v21', 'rlds', 'webdataset'];
const OTHERS = [...FORMATS.keys()].filter((name) => !WITH_TEXT.includes(name));

test(`every kind of feature goes into ${WITH_TEXT.join(', ')} as it was recorded`, async () => {
  await convert(WITH_TEXT, TEXT);
}, 60_000);

test(`every kind of feature but text goes into ${OTHERS.join(', ')} as it was recorded`, async () => {
  await convert(OTHERS, '');
}, 60_000);

test.each(OTHERS)('text does not go into %s, which says so', async (name) => {
  const format = FORMATS.get(name)!;
  const target = { directory: join(folder.path, 'none'), contract: contract(TEXT), version: '0.0.0' };
  await expect(convertEpisodes([file], { ...target, formats: [format] })).rejects.toThrow(
    /feature "observation.said" is text, which its loaders do not take.* It is line 22 of the contract/,
  );
});

/** Nothing is said before 0.5 s. */
const SAID = Array.from({ length: 30 }, (_, i) => (i >= 15 ? 'höher' : ''));

test('texts are strings in LeRobot', async () => {
  const directory = join(folder.path, 'lerobot');
  const rows = await readParquetRows(join(directory, 'data/chunk-000/file-000.parquet'));
  expect(rows.map((row) => row['observation.said'])).toEqual(SAID.slice(0, rows.length));
  const info = JSON.parse(await readFile(join(directory, 'meta/info.json'), 'utf8'));
  expect(info.features['observation.said']).toEqual({ dtype: 'string', shape: [1], names: null });
  expect(info.features['observation.depth']).toMatchObject({ dtype: 'uint16', shape: [2, 2] });
});
