import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Contract } from '../../schemas/contract.ts';
import { fixtureContract, fixtureFrame, fixtureTarget, writeEpisodes } from '../lerobot/lerobot.fixture.ts';
import { readParquetRows } from '../parquet-reader.ts';
import { lerobotV21 } from './lerobot-v21.ts';
import { modality } from './modality.ts';

const LENGTHS = [5, 3];
const SECOND = 'data/chunk-000/episode_000001.parquet';
const VIDEO = 'videos/chunk-000/observation.images.top/episode_00000';

let root: string;
/** A sound dataset that no test changes. */
let sound: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lerobot-v21-'));
  sound = await mkdtemp(join(root, 'sound-'));
  await writeEpisodes(lerobotV21, fixtureTarget(sound), LENGTHS);
});
afterAll(() => rm(root, { recursive: true }));

const json = async (file: string) => JSON.parse(await readFile(join(sound, file), 'utf8'));
const lines = async (file: string) =>
  (await readFile(join(sound, file), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('lerobotV21', () => {
  it('counts what LeRobot and GR00T count on', async () => {
    expect(await json('meta/info.json')).toMatchObject({
      codebase_version: 'v2.1',
      total_episodes: 2,
      total_frames: 8,
      total_tasks: 2,
      total_videos: 4,
      total_chunks: 1,
      chunks_size: 1000,
      fps: 30,
      splits: { train: '0:2' },
    });
    expect(await lines('meta/tasks.jsonl')).toEqual([
      { task_index: 0, task: 'pick the block' },
      { task_index: 1, task: 'place the block' },
    ]);
    expect((await lines('meta/episodes.jsonl'))[1]).toMatchObject({
      episode_index: 1,
      tasks: ['place the block'],
      length: 3,
      episode_id: 'episode-1',
    });
  });

  it('goes on counting rows in the next file', async () => {
    const rows = await readParquetRows(join(sound, SECOND));
    expect(rows.map(({ index, frame_index, episode_index }) => [index, frame_index, episode_index])).toEqual([
      [5n, 0n, 1n],
      [6n, 1n, 1n],
      [7n, 2n, 1n],
    ]);
    expect(rows[1]).toMatchObject({ task_index: 1n, tick_time: fixtureFrame(1, 1).tickTime, mode: 1010n });
    expect(rows[2]!['observation.state']).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(rows[2]!['valid.observation.state']).toBe(false);
  });

  it('keeps masked values out of all statistics, and names that LeRobot would misread out of its own', async () => {
    const [first] = await lines('meta/episodes_stats.jsonl');
    expect(first.stats['observation.state']).toMatchObject({ min: [0, 1, 2], max: [40, 41, 42], count: [4] });
    expect(first.stats['observation.images.top'].mean).toHaveLength(3);
    const misread = Object.entries<{ mean: unknown[] }>(first.stats)
      .filter(([key, { mean }]) => key.includes('image') && !Array.isArray(mean[0]))
      .map(([key]) => key);
    expect(misread).toEqual([]);
    const stats = await json('meta/stats.json');
    expect(Object.keys(stats.action)).toEqual(['mean', 'std', 'min', 'max', 'q01', 'q99']);
    expect(stats.action.max).toEqual([1010]);
    expect(stats['age.observation.images.top'].mean[0]).toBeCloseTo(0.003, 6);
  });

  const features = fixtureContract.features;
  const state = features['observation.state']!;
  it('modality() makes every feature of real numbers a part, and leaves matrices and integers out', () => {
    const contract: Contract = {
      ...fixtureContract,
      features: { ...features, 'observation.arm.left': state, 'action.grip': state },
    };
    expect(modality(contract)).toEqual({
      state: {
        state: { start: 0, end: 3, original_key: 'observation.state' },
        arm_left: { start: 0, end: 3, original_key: 'observation.arm.left' },
      },
      action: {
        action: { start: 0, end: 1, original_key: 'action' },
        grip: { start: 0, end: 3, original_key: 'action.grip' },
      },
      video: {
        top: { original_key: 'observation.images.top' },
        wrist: { original_key: 'observation.images.wrist' },
      },
      annotation: { 'human.task_description': { original_key: 'task_index' } },
    });
  });

  const edit = (file: string, change: (text: string) => string) => async (directory: string) =>
    writeFile(join(directory, file), change(await readFile(join(directory, file), 'utf8')));
  const DAMAGES: readonly [string, (directory: string) => Promise<void>, RegExp][] = [
    [
      'two episodes that changed places',
      async (directory) => {
        const [a, b] = [0, 1].map((i) => join(directory, `data/chunk-000/episode_00000${i}.parquet`));
        await rename(a!, `${a}.tmp`);
        await rename(b!, a!);
        await rename(`${a}.tmp`, b!);
      },
      /episode_000000.parquet, row 0: index is 5, it must be 0/,
    ],
    [
      'a missing episode',
      (directory) => rm(join(directory, SECOND)),
      /000001.parquet: is missing; episode 1/,
    ],
    [
      'the video of another episode',
      (directory) => cp(join(directory, `${VIDEO}0.mp4`), join(directory, `${VIDEO}1.mp4`)),
      /episode_000001.mp4: holds 5 frames, its episodes have 3/,
    ],
    [
      'a video that no episode has',
      (directory) => cp(join(directory, `${VIDEO}0.mp4`), join(directory, `${VIDEO}2.mp4`)),
      /episode_000002.mp4: no episode lies in it/,
    ],
    [
      'episodes out of order',
      edit('meta/episodes.jsonl', (text) => text.split('\n').toReversed().join('\n')),
      /meta\/episodes.jsonl, row 0: episode_index is 1, it must be 0/,
    ],
    [
      'statistics that are missing',
      edit('meta/episodes_stats.jsonl', (text) => `${text.split('\n')[0]}\n`),
      /has 1 lines for 2 episodes/,
    ],
    [
      'a wrong total',
      edit('meta/info.json', (text) => text.replace('"total_frames": 8', '"total_frames": 9')),
      /total_frames is 9, the tables hold 8/,
    ],
    [
      'a part beyond its column',
      edit('meta/modality.json', (text) => text.replace('"end": 3', '"end": 4')),
      /part "state" is 0 to 4 of "observation.state", which has 3 elements/,
    ],
    [
      'metadata that are cut off',
      edit('meta/tasks.jsonl', (text) => text.slice(0, 20)),
      /tasks.jsonl, row 0: /,
    ],
  ];
  it.each(DAMAGES)('verify() finds %s', async (name, plant, fault) => {
    const directory = join(root, name.replaceAll(' ', '-'));
    await cp(sound, directory, { recursive: true });
    await plant(directory);
    expect((await lerobotV21.verify(directory)).join('\n')).toMatch(fault);
  });
});
