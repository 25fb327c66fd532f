import { readdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ConvertOptions, convertEpisodes } from '../converters/convert.ts';
import { jointState, testContractFile, writeTestEpisode } from '../converters/episode.fixture.ts';
import { readParquet } from '../converters/parquet-reader.ts';
import { verifyAgainst } from '../converters/verify-against.ts';
import { parseContract } from '../schemas/contract-file.ts';
import type { DatasetManifest } from '../schemas/dataset-manifest.ts';
import { temporaryFolder } from '../schemas/fixtures/episodes.ts';
import { FORMATS } from './formats.ts';

const [WIDTH, HEIGHT] = [128, 96];
/** Of such maps 42 frames are read at once. */
const MESSAGES = { long: 50, short: 6 };

const contract = testContractFile(`
streams:
  arm: { topic: /arm, role: motion, type: sensor_msgs/msg/JointState }
  depth: { topic: /depth, role: perception, type: sensor_msgs/msg/Image }
  camera: { topic: /camera, role: perception, type: sensor_msgs/msg/Image }
features:
  observation.state: { kind: vector, stream: arm, field: position, shape: [2], toleranceSecs: 0.05 }
  observation.depth: { kind: depth, stream: depth, width: ${WIDTH}, height: ${HEIGHT}, unit: mm, toleranceSecs: 0.05 }
  observation.images.front: { kind: image, stream: camera, width: 64, height: 64, toleranceSecs: 0.05 }
  action: { kind: vector, stream: arm, field: position, derive: next, shape: [2], toleranceSecs: 0.05 }
samples: { tickRateHz: 20, observationSteps: 2, horizon: 2, stride: 4 }`);

/** No two depths of a picture are alike, nor two pictures; some are not measured. */
function depths(message: number): Uint8Array {
  const values = Uint16Array.from({ length: WIDTH * HEIGHT }, (_, i) =>
    i % 97 === 96 ? 0 : 300 + i + message,
  );
  return new Uint8Array(values.buffer);
}

async function writeEpisode(file: string, id: keyof typeof MESSAGES): Promise<void> {
  const at = (milliseconds: number) =>
    Array.from({ length: MESSAGES[id] }, (_, i) => ({ i, log: 50 * i + milliseconds }));
  const image = { width: WIDTH, height: HEIGHT, step: 2 * WIDTH, encoding: '16UC1', is_bigendian: 0 };
  const grey = { width: 64, height: 64, step: 64, encoding: 'mono8', is_bigendian: 0 };
  await writeTestEpisode(
    file,
    [
      {
        topic: '/arm',
        type: 'sensor_msgs/msg/JointState',
        messages: at(0).map(({ i, log }) => ({ log, value: jointState([Math.sin(i), i]) })),
      },
      {
        topic: '/depth',
        type: 'sensor_msgs/msg/Image',
        messages: at(2).map(({ i, log }) => ({ log, value: { ...image, data: depths(i) } })),
      },
      {
        topic: '/camera',
        type: 'sensor_msgs/msg/Image',
        messages: at(3).map(({ i, log }) => ({
          log,
          value: { ...grey, data: new Uint8Array(64 * 64).fill(i) },
        })),
      },
    ],
    { id, task: 'pick' },
  );
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let [long, short] = ['', ''];
let sound: Awaited<ReturnType<typeof convert>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  [long, short] = [join(folder.path, 'long.mcap'), join(folder.path, 'short.mcap')];
  await writeEpisode(long, 'long');
  await writeEpisode(short, 'short');
  sound = await convert([long, short], 'sound');
}, 60_000);
afterAll(() => folder[Symbol.asyncDispose]());

const formats = [...FORMATS.values()];

async function convert(files: readonly string[], name: string, options: Partial<ConvertOptions> = {}) {
  const directory = join(folder.path, name);
  const { datasets } = await convertEpisodes(files, {
    ...{ contract, formats, directory, version: '0.0.0' },
    ...options,
  });
  return datasets;
}

const filesOf = (datasets: readonly { readonly manifest: DatasetManifest }[]) =>
  datasets.map(({ manifest }) => manifest.files);

test.each(formats)(
  '$name holds maps that are read range by range as they were recorded',
  async (format) => {
    const { directory, manifest } = sound[formats.indexOf(format)]!;
    expect(await format.verify(directory)).toEqual([]);
    const options = { recordings: [long, short], contract, pictures: 1 };
    const { faults, coverage } = await verifyAgainst(directory, { manifest, format }, options);
    expect(faults).toEqual([]);
    expect(coverage).toMatchObject({ episodes: 2, features: true });
  },
  60_000,
);

test('verifyAgainst() names the first row of a map that is not what the recording gives', async () => {
  const format = FORMATS.get('zarr')!;
  const { directory, manifest } = sound[formats.indexOf(format)]!;
  const metres = parseContract(contract.text.replace('unit: mm', 'unit: m'), 'metres');
  const options = { recordings: [long, short], contract: { ...metres, digest: contract.digest } };
  const { faults } = await verifyAgainst(directory, { manifest, format }, options);
  expect(faults.join()).toMatch(
    /data\/depth, row 0: element 0 is 300, .* gives 0.30\d+ \(frame 0, message of "\/depth"/,
  );
});

test('LeRobot has an episode in one file, in several row groups where it is large', async () => {
  const data = join(folder.path, 'sound/lerobot/data/chunk-000/file-000.parquet');
  const groups: number[] = [];
  for await (const rows of (await readParquet(data)).batches()) groups.push(rows.length);
  expect(groups).toEqual([42, expect.any(Number), expect.any(Number)]);
});

/** They differ in how they take the maps; what is prepared is the same for all. */
const BYTES = ['zarr-zip', 'webdataset', 'rlds', 'robomimic'].map((name) => FORMATS.get(name)!);
const soundOf = (some: typeof formats) => some.map((format) => sound[formats.indexOf(format)]!);

test('convertEpisodes() gives the same bytes with several workers and appended', async () => {
  const files = [long, short];
  expect(filesOf(await convert(files, 'workers', { formats: BYTES, workers: 4 }))).toEqual(
    filesOf(soundOf(BYTES)),
  );
  await convert([long], 'appended', { formats: BYTES });
  const appended = await convert(files.slice(1), 'appended', { formats: BYTES, append: true });
  expect(filesOf(appended)).toEqual(filesOf(soundOf(BYTES)));
}, 60_000);

test('convertEpisodes() prepares an episode again whose maps were cut off', async () => {
  const prepared = join(folder.path, 'workers', '.prepared');
  const maps = (await readdir(prepared, { recursive: true })).filter((name) => name.endsWith('elements.bin'));
  expect(maps).toHaveLength(2);
  await truncate(join(prepared, maps[0]!), 100);
  const again = await convert([long, short], 'workers', { formats: BYTES, append: true });
  expect(filesOf(again)).toEqual(filesOf(soundOf(BYTES)));
}, 60_000);
