import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Contract, contractSchema } from '../../schemas/contract.ts';
import { readMp4 } from '../mp4-reader.ts';
import { type ParquetRow, readParquet, readParquetRows } from '../parquet-reader.ts';
import { findVideoBackend } from '../video-backend.ts';
import type { VideoBackend } from '../video-encoder.ts';
import { dataColumns } from './data-columns.ts';
import { cellShape } from './layout.ts';
import { fixtureContract, fixtureFrame, fixtureTarget, writeEpisodes } from './lerobot.fixture.ts';
import { lerobot } from './lerobot.ts';
import { type LerobotLimits, LerobotWriter } from './lerobot-writer.ts';
import { type ColumnRows, ParquetFile } from './parquet-file.ts';

const LENGTHS = [9, 4, 13];
const DATA = 'data/chunk-000/file-000.parquet';
const TOP = 'videos/observation.images.top/chunk-000/file-000.mp4';
const WRIST = 'videos/observation.images.wrist/chunk-000/file-000.mp4';

let root: string;
let backend: VideoBackend;
/** A sound dataset that no test changes. */
let sound: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lerobot-'));
  backend = await findVideoBackend();
  sound = await write('sound');
});
afterAll(() => rm(root, { recursive: true }));

async function write(name: string, limits: LerobotLimits = {}, lengths = LENGTHS): Promise<string> {
  const directory = join(root, name);
  await mkdir(directory);
  const writer = new LerobotWriter(fixtureTarget(directory), { backend, ...limits });
  expect(await writeEpisodes(writer, lengths)).toBe(lengths.reduce((sum, length) => sum + length));
  return directory;
}

describe('LerobotWriter', () => {
  it('writes a dataset that verify() finds sound', async () => {
    expect(await lerobot.verify(sound)).toEqual([]);
  });

  it('declares exactly the columns it writes, additions out of the reach of a policy', async () => {
    const { features } = JSON.parse(await readFile(join(sound, 'meta/info.json'), 'utf8'));
    const { columns } = await readParquet(join(sound, DATA));
    const declared = Object.keys(features).filter((key) => features[key].dtype !== 'video');
    expect([...columns].sort()).toEqual(declared.sort());
    const added = columns.filter((name) => !(name in fixtureContract.features));
    expect(added.filter((name) => /^(observation|action)/.test(name))).toEqual([]);
    expect(features['age.action']).toEqual({ dtype: 'float32', shape: [1], names: null });
    expect(features['valid.observation.images.top']).toEqual({ dtype: 'bool', shape: [1], names: null });
  });

  it('carries value, age, mask and real time of every frame', async () => {
    const rows = await readParquetRows(join(sound, DATA));
    const row = rows[9 + 3]!; // the last frame of the second episode
    expect(row).toMatchObject({
      index: 12n,
      episode_index: 1n,
      frame_index: 3n,
      task_index: 1n,
      mode: 1030n,
    });
    expect(row.timestamp).toBe(Math.fround(3 / 30));
    expect(row.tick_time).toBe(fixtureFrame(1, 3).tickTime);
    expect(row['observation.state']).toEqual([1030, 1031, 1032]);
    expect(row['observation.tactile']).toEqual([
      [1030, 1031, 1032],
      [1033, 1034, 1035],
    ]);
    expect(row.action).toBe(1030);
    expect(row.contact).toEqual([true, false]);
    expect(row['age.observation.state']).toBe(Math.fround(0.003));
    expect(row['valid.observation.state']).toBe(true);
  });

  it('marks what was not there instead of inventing it', async () => {
    const row = (await readParquetRows(join(sound, DATA)))[2]!;
    expect(row['observation.state']).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(row['age.observation.state']).toBeNaN();
    expect(row['valid.observation.state']).toBe(false);
    expect(row['valid.observation.images.top']).toBe(false);
    expect(row['valid.observation.images.wrist']).toBe(true);
  });

  it('leaves masked values out of the statistics', async () => {
    const stats = JSON.parse(await readFile(join(sound, 'meta/stats.json'), 'utf8'));
    const frames = LENGTHS.reduce((sum, length) => sum + length);
    expect(stats['observation.state'].count).toEqual([frames - LENGTHS.length]);
    expect(stats['observation.state'].min).toEqual([0, 1, 2]);
    expect(stats['observation.state'].max).toEqual([2120, 2121, 2122]);
    expect(stats.mode.min).toEqual([0]);
    expect(stats['observation.images.top'].count).toEqual([frames - LENGTHS.length]);
    expect(stats['observation.images.wrist'].count).toEqual([frames]);
    expect(stats['observation.images.wrist'].max).toEqual([[[251 / 255]], [[251 / 255]], [[1]]]);
    expect(stats['observation.tactile'].mean).toHaveLength(2);
  });

  it('gives each episode a row group and its own statistics', async () => {
    const groups: number[] = [];
    for await (const rows of (await readParquet(join(sound, DATA))).batches()) groups.push(rows.length);
    expect(groups).toEqual(LENGTHS);
    const episodes = await readParquetRows(join(sound, 'meta/episodes/chunk-000/file-000.parquet'));
    expect(episodes.map((row) => row['stats/action/max'])).toEqual([[80], [1030], [2120]]);
    expect(episodes.map((row) => row['stats/action/count'])).toEqual([[8n], [3n], [12n]]);
  });

  it('begins a new file where the next episode would make it too large', async () => {
    const many = await write('many', { dataFileMegabytes: 0.001, videoFileMegabytes: 0.004 }, [9, 4, 13, 5]);
    expect(await lerobot.verify(many)).toEqual([]);
    expect((await readdir(join(many, 'data/chunk-000'))).length).toBe(4);
    const videos = await readdir(join(many, 'videos/observation.images.top/chunk-000'));
    expect(videos.length).toBeGreaterThan(1);
    expect(videos.length).toBeLessThan(4);
  });

  it('gives the same bytes for the same frames', async () => {
    const again = await write('again');
    expect(await contents(again)).toEqual(await contents(sound));
  });

  it('writes no video and needs no encoder where the contract has no picture', async () => {
    const features = { 'observation.state': fixtureContract.features['observation.state']! };
    const directory = join(root, 'blind');
    await mkdir(directory);
    const writer = new LerobotWriter(fixtureTarget(directory, { ...fixtureContract, features }), {
      backend: undefined,
    });
    await writeEpisodes(writer, [5]);
    expect(await readdir(directory)).toEqual(['data', 'meta']);
    expect(await lerobot.verify(directory)).toEqual([]);
  });

  it('leaves a feature without any value out of the statistics', async () => {
    const directory = join(root, 'silent');
    await mkdir(directory);
    const writer = new LerobotWriter(fixtureTarget(directory), { backend });
    await writer.beginEpisode({ index: 0, id: 'a', digest: '', task: 'pick the block' });
    await writer.addFrame({ ...fixtureFrame(0, 2), index: 0 });
    await writer.endEpisode();
    await writer.finish();
    const stats = JSON.parse(await readFile(join(directory, 'meta/stats.json'), 'utf8'));
    expect(stats).not.toHaveProperty(['observation.state']);
    expect(stats).toHaveProperty(['observation.images.wrist']);
    expect(await lerobot.verify(directory)).toEqual([]);
  });

  it('abort() ends the encoders', async () => {
    const directory = join(root, 'aborted');
    await mkdir(directory);
    const writer = new LerobotWriter(fixtureTarget(directory), { backend });
    await writer.beginEpisode({ index: 0, id: 'a', digest: '', task: 'pick the block' });
    await writer.addFrame(fixtureFrame(0, 0));
    await writer.abort();
    await expect(writer.endEpisode()).rejects.toThrow('it was ended by SIGKILL');
  });

  const picture = fixtureContract.features['observation.images.top']!;
  const state = fixtureContract.features['observation.state']!;
  const REFUSED: readonly [string, Partial<Contract>, string][] = [
    [
      'a tick rate that is no whole number',
      { samples: { ...fixtureContract.samples, tickRateHz: 12.5 } },
      'found 12.5',
    ],
    [
      'an odd width',
      { features: { front: { ...picture, width: 95 } as typeof picture } },
      'feature "front" is 95 × 64',
    ],
    [
      'a feature named like a column of LeRobot',
      { features: { timestamp: state } },
      'two columns are named "timestamp"',
    ],
    [
      'a feature named like an age',
      { features: { x: state, 'age.x': state } },
      'two columns are named "age.x"',
    ],
  ];
  it.each(REFUSED)('refuses %s', (_, change, message) => {
    const contract = contractSchema.parse({ ...fixtureContract, ...change });
    expect(() => new LerobotWriter(fixtureTarget(root, contract), { backend })).toThrow(message);
  });

  it('refuses an episode without frames', async () => {
    const directory = join(root, 'empty');
    await mkdir(directory);
    const writer = new LerobotWriter(fixtureTarget(directory), { backend });
    await writer.beginEpisode({ index: 0, id: 'nothing', digest: '', task: 'pick the block' });
    await expect(writer.endEpisode()).rejects.toThrow('episode "nothing" has no frames');
    await writer.abort();
  });
});

describe('verify()', () => {
  const DAMAGES: readonly {
    name: string;
    plant(directory: string): Promise<void>;
    faults: readonly RegExp[];
  }[] = [
    {
      name: 'a missing data file',
      plant: (directory) => rm(join(directory, DATA)),
      faults: [
        /^data\/chunk-000\/file-000.parquet: is missing; episode 0 lies in it/,
        /^data: the files hold 0 rows, .* says 26/,
      ],
    },
    {
      name: 'two rows exchanged',
      plant: (directory) => changeRows(directory, (rows) => rows.splice(10, 2, rows[11]!, rows[10]!)),
      faults: [
        /file-000.parquet, row 10: index is 11, it must be 10/,
        /row 10: frame_index is 2, it must be 1/,
        /row 10: timestamp/,
      ],
    },
    {
      name: 'a wrong index',
      plant: (directory) => changeRows(directory, (rows) => setCell(rows[7]!, 'index', 700n)),
      faults: [/file-000.parquet, row 7: index is 700, it must be 7/],
    },
    {
      name: 'two frames exchanged under intact indices',
      plant: (directory) =>
        changeRows(directory, (rows) => {
          for (const name of ['tick_time', 'observation.state']) {
            const [earlier, later] = [rows[4]![name], rows[5]![name]];
            setCell(rows[4]!, name, later);
            setCell(rows[5]!, name, earlier);
          }
        }),
      faults: [/row 4: its tick lies 6666666\d ns after the one before/],
    },
    {
      name: 'a column shifted against its mask',
      plant: (directory) =>
        changeRows(directory, (rows) => {
          for (const [i, row] of rows.entries()) {
            if (i > 0) setCell(rows[i - 1]!, 'observation.state', row['observation.state']);
          }
        }),
      faults: [/row 2: "observation.state" is marked invalid and holds a value/],
    },
    {
      name: 'a lost row',
      plant: (directory) => changeRows(directory, (rows) => rows.splice(25, 1)),
      faults: [/^data: the files hold 25 rows, meta\/info.json says 26/],
    },
    {
      name: 'timestamps of a real clock',
      plant: (directory) => changeRows(directory, (rows) => setCell(rows[5]!, 'timestamp', 0.17)),
      faults: [/row 5: timestamp is 0.17\d*, it must be 0.1666/],
    },
    {
      name: 'the task of another episode',
      plant: (directory) => changeRows(directory, (rows) => setCell(rows[9]!, 'task_index', 0n)),
      faults: [/row 9: task_index 0 is not a task of its episode \("place the block"\)/],
    },
    {
      name: 'a video that was cut off',
      plant: async (directory) =>
        truncate(join(directory, TOP), (await readMp4(join(directory, TOP))).offsets[20]! + 1),
      faults: [/observation.images.top\/.*: frame 20 lies beyond the end of the file/],
    },
    {
      name: 'a video whose index is cut off',
      plant: (directory) => truncate(join(directory, TOP), 200),
      faults: [/top\/.*: Cannot read video .*: no complete box "moov"/],
    },
    {
      name: 'a missing video',
      plant: (directory) => rm(join(directory, WRIST)),
      faults: [/wrist\/.*: cannot be opened \(.*ENOENT/],
    },
    {
      name: 'the video of another camera',
      plant: (directory) => cp(join(directory, WRIST), join(directory, TOP)),
      faults: [/top\/.*: shows 64 × 64 pixels, .* declares shape \[64, 96, 3\]/],
    },
    {
      name: 'a video that lacks a frame',
      plant: async (directory) => {
        const shorter = await write(`shorter-${Math.random()}`, {}, [9, 4, 12]);
        await cp(join(shorter, TOP), join(directory, TOP));
      },
      faults: [/top\/.*: holds 25 frames, its episodes have 26/],
    },
    {
      name: 'a video of another rate',
      plant: async (directory) => {
        const info = JSON.parse(await readFile(join(directory, 'meta/info.json'), 'utf8'));
        await writeFile(join(directory, 'meta/info.json'), JSON.stringify({ ...info, fps: 25 }));
      },
      faults: [/top\/.*: frame 0 lasts 512\/15360 s, every frame must last exactly 1\/25 s/],
    },
    {
      name: 'statistics that are no numbers',
      plant: async (directory) => {
        const stats = JSON.parse(await readFile(join(directory, 'meta/stats.json'), 'utf8'));
        stats.action.mean = [null];
        await writeFile(join(directory, 'meta/stats.json'), JSON.stringify(stats));
      },
      faults: [/^meta\/stats.json: cannot be read, or holds something other than finite numbers/],
    },
    {
      name: 'missing statistics',
      plant: async (directory) => {
        const stats = JSON.parse(await readFile(join(directory, 'meta/stats.json'), 'utf8'));
        delete stats['observation.state'];
        stats['observation.tactile'].max = [1, 2];
        await writeFile(join(directory, 'meta/stats.json'), JSON.stringify(stats));
      },
      faults: [
        /"observation.state" has values and no statistics/,
        /"observation.tactile" has "max" of shape \[2\], not \[2, 3\]/,
      ],
    },
    {
      name: 'a missing description',
      plant: (directory) => rm(join(directory, 'meta/info.json')),
      faults: [/meta\/info.json: cannot be read/],
    },
    {
      name: 'a table that is no Parquet',
      plant: (directory) => writeFile(join(directory, DATA), 'PAR1 and nothing else PAR1'),
      faults: [/Cannot read ".*file-000.parquet": it is no sound Parquet file/],
    },
  ];

  it.each(DAMAGES)('names $name', async ({ name, plant, faults }) => {
    const directory = join(root, `damage ${name}`);
    await cp(sound, directory, { recursive: true });
    await plant(directory);
    const found = await lerobot.verify(directory);
    for (const fault of faults) expect(found).toContainEqual(expect.stringMatching(fault));
  });

  it('finds a dataset of the official writer sound', async ({ skip }) => {
    const reference = join(import.meta.dirname, '../../../shared/data/lerobot_v30_rebot_arm_nocam');
    skip(!existsSync(reference), 'the reference dataset is not beside the clone');
    expect(await lerobot.verify(reference)).toEqual([]);
  });
});

/** Every file below a folder, by path. */
async function contents(directory: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return new Map(
    await Promise.all(
      files.map(async (file) => [file.slice(directory.length), await readFile(file)] as const),
    ),
  );
}

type Row = ParquetRow;

function setCell(row: Row, column: string, value: unknown): void {
  Object.assign(row, { [column]: value });
}

/** Rewrites the data file of a dataset with other rows. */
async function changeRows(directory: string, change: (rows: Row[]) => void): Promise<void> {
  const rows = [...(await readParquetRows(join(directory, DATA)))];
  change(rows);
  const columns = dataColumns(fixtureContract).map((column) => ({
    ...column,
    shape: cellShape(column.shape),
  }));
  const file = new ParquetFile(columns);
  const values = columns.map(({ name, dtype }): ColumnRows => {
    const flat = rows.flatMap((row) => [row[name]].flat(5));
    if (dtype === 'int64') return BigInt64Array.from(flat, (each) => BigInt(each as bigint));
    const numbers = flat.map(Number);
    if (dtype === 'float32') return Float32Array.from(numbers);
    return dtype === 'float64' ? Float64Array.from(numbers) : Uint8Array.from(numbers);
  });
  file.append(rows.length, values);
  await writeFile(join(directory, DATA), file.encode());
}
