import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Contract, contractSchema } from '../../schemas/contract.ts';
import { readParquet, readParquetRows } from '../parquet-reader.ts';
import { findVideoBackend } from '../video-backend.ts';
import type { VideoBackend } from '../video-encoder.ts';
import {
  fixtureContract,
  fixtureFrame,
  fixtureTarget,
  writeDataset,
  writeEpisodes,
  writeFrames,
} from './lerobot.fixture.ts';
import { lerobot } from './lerobot.ts';
import { type LerobotLimits, LerobotWriter } from './lerobot-writer.ts';

const LENGTHS = [9, 4, 13];
const DATA = 'data/chunk-000/file-000.parquet';

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

const write = (name: string, limits: LerobotLimits = {}, lengths = LENGTHS) =>
  writeDataset(join(root, name), { backend: backend.name, ...limits }, lengths);

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
    const target = fixtureTarget(directory, { ...fixtureContract, features });
    expect(await writeEpisodes(lerobot, target, [5])).toBe(5);
    expect(await readdir(directory)).toEqual(['data', 'meta']);
    expect(await lerobot.verify(directory)).toEqual([]);
  });

  it('leaves a feature without any value out of the statistics', async () => {
    const directory = join(root, 'silent');
    await mkdir(directory);
    await writeFrames(lerobot, fixtureTarget(directory), [[{ ...fixtureFrame(0, 2), index: 0 }]]);
    const stats = JSON.parse(await readFile(join(directory, 'meta/stats.json'), 'utf8'));
    expect(stats).not.toHaveProperty(['observation.state']);
    expect(stats).toHaveProperty(['observation.images.wrist']);
    expect(await lerobot.verify(directory)).toEqual([]);
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
