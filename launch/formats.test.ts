import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { convertEpisodes } from '../converters/convert.ts';
import type { DatasetFormat, DatasetTarget } from '../converters/dataset-writer.ts';
import { joints, testContractFile, writeTestEpisode } from '../converters/episode.fixture.ts';
import type { Frame } from '../converters/frame.ts';
import { act } from '../converters/hdf5/act.ts';
import { actFile } from '../converters/hdf5/act-writer.ts';
import { Hdf5Thread } from '../converters/hdf5/hdf5-thread.ts';
import { ROBOMIMIC_FILE } from '../converters/hdf5/robomimic-writer.ts';
import {
  fixtureContract,
  fixtureFrame,
  fixtureFrames,
  fixtureTarget,
  writeEpisodes,
  writeFrames,
} from '../converters/lerobot/lerobot.fixture.ts';
import { writeManifest } from '../converters/manifest.ts';
import { decodeNpz } from '../converters/npz.ts';
import { readParquetRows } from '../converters/parquet-reader.ts';
import { addFrames } from '../converters/prepared/prepared.fixture.ts';
import { PREPARED } from '../converters/prepared/prepared-folder.ts';
import { decodeExample } from '../converters/rlds/example.ts';
import { readTfRecords } from '../converters/rlds/tfrecord.ts';
import { verifyDataset } from '../converters/verify.ts';
import { numbersOf } from '../converters/vla-foundry/read-vla-foundry.ts';
import { vlaFoundry } from '../converters/vla-foundry/vla-foundry.ts';
import { decodeSample } from '../converters/webdataset/sample-codec.ts';
import { readTar } from '../converters/webdataset/tar.ts';
import { DIRECTORY_NAME, ZIP_NAME } from '../converters/zarr/layout.ts';
import { readRows } from '../converters/zarr/zarr-array.ts';
import { openDirectory, type ZarrSource } from '../converters/zarr/zarr-store.ts';
import { openZip } from '../converters/zarr/zip-store.ts';
import { contractSchema } from '../schemas/contract.ts';
import { FORMATS, formatsNamed } from './formats.ts';

const LENGTHS = [7, 4];
const TOTAL = 11;

/** Pictures of one size, which every format can hold. */
const contract = (() => {
  const { 'observation.images.wrist': _, ...features } = fixtureContract.features;
  return { ...fixtureContract, features };
})();

/** What a dataset says of `observation.state` at each frame, read back without its writer. */
interface Reading {
  readonly state: readonly number[];
  readonly valid: boolean;
}

const rows = (
  width: number,
  values: ArrayLike<number | bigint>,
  valid: ArrayLike<number | bigint>,
): Reading[] =>
  Array.from(valid, (flag, i) => ({
    state: Array.from({ length: width }, (_, element) => Number(values[i * width + element])),
    valid: Number(flag) === 1,
  }));

const parquet = async (files: readonly string[]): Promise<Reading[]> => {
  const read = (await Promise.all(files.map(readParquetRows))).flat();
  return read.map((row) => ({
    state: row['observation.state'] as number[],
    valid: row['valid.observation.state'] === true,
  }));
};

const replayBuffer = async (source: ZarrSource): Promise<Reading[]> => {
  const [state, valid] = [await readRows(source, 'data/state'), await readRows(source, 'data/valid_state')];
  await source.close();
  return rows(3, state, valid);
};

const hdf5 = async (path: string, columns: readonly (readonly [state: string, valid: string])[]) => {
  const thread = new Hdf5Thread();
  const file = await thread.read(path);
  const read: Reading[] = [];
  for (const [state, valid] of columns) {
    read.push(...rows(3, await file.values(state), await file.values(valid)));
  }
  await thread.end();
  return read;
};

const READERS: Readonly<Record<string, (directory: string) => Promise<Reading[]>>> = {
  lerobot: (directory) => parquet([join(directory, 'data/chunk-000/file-000.parquet')]),
  'lerobot-v21': (directory) =>
    parquet(LENGTHS.map((_, i) => join(directory, `data/chunk-000/episode_00000${i}.parquet`))),
  rlds: async (directory) => {
    const read: Reading[] = [];
    for await (const record of readTfRecords(
      join(directory, 'fixture/1.0.0/fixture-train.tfrecord-00000-of-00001'),
    )) {
      const example = decodeExample(record);
      const values = (path: string) => example.get(path)!.values as ArrayLike<number | bigint>;
      read.push(...rows(3, values('steps/observation/state'), values('steps/valid/state')));
    }
    return read;
  },
  zarr: async (directory) => replayBuffer(await openDirectory(join(directory, DIRECTORY_NAME))),
  'zarr-zip': async (directory) => replayBuffer(await openZip(join(directory, ZIP_NAME))),
  robomimic: (directory) =>
    hdf5(
      join(directory, ROBOMIMIC_FILE),
      LENGTHS.map((_, i) => [`data/demo_${i}/obs/state`, `data/demo_${i}/valid/state`] as const),
    ),
  act: async (directory) => {
    const read = LENGTHS.map(async (length, i) => {
      const all = await hdf5(join(directory, actFile(i)), [['observations/qpos', 'valid/qpos']]);
      return all.slice(0, length);
    });
    return (await Promise.all(read)).flat();
  },
  'vla-foundry': async (directory) => {
    const read: Reading[] = [];
    for await (const { name, data } of readTar(join(directory, 'shards/shard_000000.tar'))) {
      if (!name.endsWith('.lowdim.npz')) continue;
      const arrays = decodeNpz(Buffer.from(data));
      const numbers = (key: string) => numbersOf(arrays.get(key)!);
      read.push(...rows(3, numbers('observation.state'), numbers('valid.observation.state')));
    }
    return read;
  },
  webdataset: async (directory) => {
    const read: Reading[] = [];
    for await (const { name, data } of readTar(join(directory, 'shard-000000.tar'))) {
      if (!name.endsWith('.sample.mp')) continue;
      const { values, valid } = decodeSample(data);
      const state = new Float32Array(Uint8Array.from(values['observation.state']!.data).buffer);
      read.push(...rows(3, state, valid['observation.state']!.data));
    }
    return read;
  },
};

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'formats-'));
});
afterAll(() => rm(root, { recursive: true }));

async function emptyFolder(name: string): Promise<string> {
  const directory = join(root, name);
  await mkdir(directory);
  return directory;
}

async function contents(directory: string): Promise<Record<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const digests = files.sort().map(async (file) => {
    const digest = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
    return [file.slice(directory.length), digest] as const;
  });
  return Object.fromEntries(await Promise.all(digests));
}

async function largestFile(directory: string): Promise<string> {
  const sizes = Object.keys(await contents(directory)).map(async (file) => {
    const path = join(directory, file);
    return { path, size: (await stat(path)).size };
  });
  return (await Promise.all(sizes)).reduce((most, each) => (each.size > most.size ? each : most)).path;
}

/** One episode of eight frames, changed on their way into the writer. */
async function writeChanged(
  format: DatasetFormat,
  target: DatasetTarget,
  change: (frames: Frame[]) => Frame[],
): Promise<void> {
  const frames = change(fixtureFrames(0, 8)).map((frame, index) => ({ ...frame, index }));
  await writeFrames(format, target, [frames]);
}

it('every format has a reader in this suite', () => {
  expect(Object.keys(READERS).sort()).toEqual([...FORMATS.keys()].sort());
});

it('formatsNamed() refuses what is no format and names those that are', () => {
  expect(() => formatsNamed('lerobot,tfds')).toThrow(/"tfds" is not one of lerobot, .*rlds/);
});

describe.each([...FORMATS])('%s', (name: string, format: DatasetFormat) => {
  let sound: string;
  beforeAll(async () => {
    sound = await emptyFolder(`${name}-sound`);
    expect(await writeEpisodes(format, fixtureTarget(sound, contract), LENGTHS)).toBe(TOTAL);
  }, 60_000);

  it('verify() finds what its writer wrote sound', async () => {
    expect(await format.verify(sound)).toEqual([]);
  });

  it('open() gives the same bytes for the same frames', async () => {
    const again = await emptyFolder(`${name}-again`);
    await writeEpisodes(format, fixtureTarget(again, contract), LENGTHS);
    expect(await contents(again)).toEqual(await contents(sound));
  });

  it('keeps every value in its place and a gap masked', async () => {
    const frames = LENGTHS.flatMap((length, episode) =>
      Array.from({ length }, (_, i) => fixtureFrame(episode, i).values.get('observation.state')!),
    );
    const expected = frames.map((value) => ({
      state: value.kind === 'vector' ? [...value.elements] : [],
      valid: value.valid,
    }));
    expect(expected.filter(({ valid }) => !valid)).toHaveLength(2);
    expect(await READERS[name]!(sound)).toEqual(expected);
  });

  it('abort() lets go of everything', async () => {
    const directory = await emptyFolder(`${name}-aborted`);
    const writer = await format.open(fixtureTarget(directory, contract));
    const header = { index: 0, id: 'a', digest: '', task: contract.episode.tasks[0]! };
    await addFrames(writer, { contract, format, header, frames: fixtureFrames(0, 3) });
    await writer.abort();
    await rm(directory, { recursive: true });
    await expect(stat(directory)).rejects.toThrow('ENOENT');
  });

  it('verify() finds a file that was cut off', async () => {
    const directory = join(root, `${name}-cut`);
    await cp(sound, directory, { recursive: true });
    const file = await largestFile(directory);
    await truncate(file, Math.floor((await stat(file)).size * 0.6));
    expect(await format.verify(directory)).not.toEqual([]);
  });

  it('verifyDataset() finds a changed byte', async () => {
    const directory = join(root, `${name}-changed`);
    await cp(sound, directory, { recursive: true });
    await writeManifest(directory, {
      version: '0.0.0',
      format: name,
      contract: { name: contract.name, digest: `sha256:${'0'.repeat(64)}` },
      tickRateHz: 30,
      clock: 'sensor',
      frames: TOTAL,
      samples: TOTAL,
      episodes: [],
      skipped: [],
      features: [],
    });
    expect((await verifyDataset(directory, FORMATS)).faults).toEqual([]);
    const file = await largestFile(directory);
    const bytes = await readFile(file);
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(file, bytes);
    const { faults } = await verifyDataset(directory, FORMATS);
    expect(faults).toContainEqual(expect.stringMatching('its content has changed'));
  });
});

/** LeRobot and WebDataset index their rows: they are given wrong indices in tests of their own. */
const BY_TICKS = ['rlds', 'zarr', 'zarr-zip', 'robomimic'];

describe.each(BY_TICKS)('%s', (name) => {
  const FRAMES: readonly [string, (frames: Frame[]) => Frame[], RegExp][] = [
    ['a missing frame', (frames) => frames.toSpliced(5, 1), /(row|step) 5: its tick lies 66666667 ns after/],
    [
      'two frames that changed places',
      (frames) => frames.with(5, frames[6]!).with(6, frames[5]!),
      /(row|step) 5: its tick lies 66666667 ns after/,
    ],
    [
      'a frame that is there twice',
      (frames) => frames.toSpliced(5, 0, frames[5]!),
      /its tick lies 0 ns after/,
    ],
    [
      'a value that is marked invalid',
      (frames) => {
        const { values } = frames[4]!;
        const masked = { ...values.get('observation.state')!, valid: false };
        return frames.with(4, { ...frames[4]!, values: new Map([...values, ['observation.state', masked]]) });
      },
      /(row|step) 4: "(state|qpos)" is marked invalid and holds a value/,
    ],
  ];

  it.each(FRAMES)('verify() finds %s', async (what, change, fault) => {
    const format = FORMATS.get(name)!;
    const directory = await emptyFolder(`${name}-${what.replaceAll(' ', '-')}`);
    await writeChanged(format, fixtureTarget(directory, contract), change);
    expect((await format.verify(directory)).join('\n')).toMatch(fault);
  });
});

it.each([...FORMATS])('%s holds windows of values with the age of every slot', async (name, format) => {
  const force = contractSchema.shape.features.parse({
    'observation.force': { ...contract.features.action, align: 'window', shape: [3, 2] },
  })['observation.force']!;
  if (force.kind !== 'vector') throw new TypeError('a window is a vector');
  const wide = { ...contract, features: { ...contract.features, 'observation.force': force } };
  const directory = await emptyFolder(`${name}-windows`);
  await writeChanged(format, fixtureTarget(directory, wide), (frames) =>
    frames.map((frame, i) => {
      // The oldest slot is empty.
      const elements = Float64Array.of(Number.NaN, Number.NaN, i, 1, i, 2);
      const window = { ageSecs: Float64Array.of(Number.NaN, 0.02, 0.01), leftOut: 0 };
      const value = {
        kind: 'vector',
        feature: force,
        valid: true,
        ageNanos: 10_000_000n,
        elements,
        window,
      } as const;
      return { ...frame, values: new Map([...frame.values, ['observation.force', value]]) };
    }),
  );
  expect(await format.verify(directory)).toEqual([]);
});

it('convertEpisodes() leaves nothing of any format when an episode fails', async () => {
  const plain = testContractFile(`
streams:
  arm: { topic: /arm, role: motion, type: sensor_msgs/msg/JointState }
features:
  observation.state: { kind: vector, stream: arm, field: position, shape: [2], toleranceSecs: 0.05 }
  action: { kind: vector, stream: arm, field: position, shape: [2], toleranceSecs: 0.05 }
samples: { tickRateHz: 10 }`);
  const recordings = await emptyFolder('recordings');
  const [good, bad] = ['good', 'bad'].map((id) => join(recordings, `${id}.mcap`));
  await writeTestEpisode(good!, [joints('/arm', { 0: [0, 0], 100: [1, 1], 200: [2, 2] })]);
  await writeTestEpisode(bad!, [joints('/arm', { 0: [1, 2, 3] })]);
  const directory = join(root, 'out');
  // Without a picture, which two do not take.
  const formats = [...FORMATS.values()].filter((format) => format !== act && format !== vlaFoundry);
  const options = { contract: plain, formats, directory, version: '0.0.0', keepPrepared: false };
  const strict = convertEpisodes([good!, bad!], { ...options, strict: true });
  await expect(strict).rejects.toThrow(/shape \[2\] asks for 2/);
  expect(await readdir(directory)).toEqual([PREPARED]);
  const { datasets } = await convertEpisodes([good!], options);
  expect(datasets.map(({ manifest }) => manifest.samples)).toEqual(datasets.map(() => 3));
  for (const dataset of datasets)
    expect((await verifyDataset(dataset.directory, FORMATS)).faults).toEqual([]);
});
