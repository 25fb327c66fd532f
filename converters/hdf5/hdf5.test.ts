import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Contract, contractSchema } from '../../schemas/contract.ts';
import { ConvertError } from '../../schemas/errors.ts';
import type { DatasetFormat } from '../dataset-writer.ts';
import {
  fixtureContract,
  fixtureFrame,
  fixtureFrames,
  fixturePicture,
  fixtureTarget,
  writeEpisodes,
  writeFrames,
} from '../lerobot/lerobot.fixture.ts';
import { act } from './act.ts';
import { actFile } from './act-writer.ts';
import { type Hdf5File, Hdf5Thread } from './hdf5-thread.ts';
import { robomimic } from './robomimic.ts';
import { ROBOMIMIC_FILE } from './robomimic-writer.ts';

const { 'observation.images.wrist': wrist, action, ...others } = fixtureContract.features;
const contract: Contract = { ...fixtureContract, features: { ...others, action: action! } };
const LENGTHS = [5, 3];

/** Reads and changes what was written. */
const thread = new Hdf5Thread();
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'hdf5-'));
});
afterAll(async () => {
  await thread.end();
  await rm(root, { recursive: true });
});

async function write(format: DatasetFormat, under = contract): Promise<string> {
  const directory = await mkdtemp(join(root, 'dataset-'));
  await writeEpisodes(format, fixtureTarget(directory, under), LENGTHS);
  return directory;
}

/** Changes a file with the library itself and verifies. */
async function verifyChanged(
  { format, directory, name }: { format: DatasetFormat; directory: string; name: string },
  change: (file: Hdf5File) => Promise<void>,
): Promise<string> {
  const file = await thread.change(join(directory, name));
  await change(file);
  await file.close();
  return (await format.verify(directory)).join('\n');
}

describe('robomimic', () => {
  it('lays out demos as SequenceDataset looks for them', async () => {
    const directory = await write(robomimic);
    const file = await thread.read(join(directory, ROBOMIMIC_FILE));
    const entries = await file.list();
    const at = (path: string) => entries.find((entry) => entry.path === path);
    expect(at('data')!.attributes).toMatchObject({ total: 8n });
    expect(JSON.parse(String(at('data')!.attributes.env_args))).toEqual({
      env_name: 'fixture-arm',
      env_type: 2,
      env_kwargs: {},
    });
    expect(at('data/demo_1')!.attributes.num_samples).toBe(3n);
    expect(JSON.parse(String(at('data/demo_1')!.attributes.ep_meta))).toMatchObject({
      lang: 'place the block',
      episode_id: 'episode-1',
    });
    expect(at('data/demo_0/obs/top')!.dataset).toEqual({ dtype: '<B', shape: [5, 64, 96, 3] });
    expect(at('data/demo_0/obs/tactile')!.dataset).toEqual({ dtype: '<d', shape: [5, 2, 3] });
    expect(await file.values('data/demo_1/actions')).toEqual(Float32Array.of(1000, 1010, Number.NaN));
    expect(await file.values('data/demo_1/rewards')).toEqual(new Float32Array(3).fill(Number.NaN));
    expect(await file.values('data/demo_1/dones')).toEqual(Uint8Array.of(0, 0, 1));
    expect(await file.values('data/demo_1/valid/action')).toEqual(Uint8Array.of(1, 1, 0));
    expect(await file.values('data/demo_1/tick_time')).toEqual(
      BigInt64Array.from([0, 1, 2], (i) => fixtureFrame(1, i).tickTime),
    );
    const pictures = await file.values('data/demo_0/obs/top');
    expect(pictures.subarray(3 * 64 * 96 * 3, 4 * 64 * 96 * 3)).toEqual(fixturePicture(96, 64, 3));
    await file.close();
  });

  it('concatenates the parts of an action in the order of the contract', async () => {
    const features = { ...others, 'action.arm': others['observation.state']!, 'action.grip': action! };
    const target = fixtureTarget(await mkdtemp(join(root, 'parts-')), { ...contract, features });
    const frames = fixtureFrames(0, 2).map((frame) => {
      const [arm, grip] = [frame.values.get('observation.state')!, frame.values.get('action')!];
      return { ...frame, values: new Map([...frame.values, ['action.arm', arm], ['action.grip', grip]]) };
    });
    await writeFrames(robomimic, target, [frames]);
    expect(await robomimic.verify(target.directory)).toEqual([]);
    const file = await thread.read(join(target.directory, ROBOMIMIC_FILE));
    expect(await file.values('data/demo_0/actions')).toEqual(Float32Array.of(0, 1, 2, 0, 10, 11, 12, 10));
    expect(await file.values('data/demo_0/action_dict/action_grip')).toEqual(Float32Array.of(0, 10));
    await file.close();
  });

  it('makes a filter key of every split', async () => {
    const directory = await mkdtemp(join(root, 'splits-'));
    const frames = [0, 1, 2].map((episode) => fixtureFrames(episode, 1));
    await writeFrames(robomimic, fixtureTarget(directory, contract), frames, ['train', 'train', 'val']);
    expect(await robomimic.verify(directory)).toEqual([]);
    const file = await thread.read(join(directory, ROBOMIMIC_FILE));
    expect(await file.values('mask/train')).toEqual(['demo_0', 'demo_1']);
    expect(await file.values('mask/val')).toEqual(['demo_2']);
    await file.close();
  });

  it('verify() finds totals and rows that disagree', async () => {
    const directory = await write(robomimic);
    const faults = await verifyChanged(
      { format: robomimic, directory, name: ROBOMIMIC_FILE },
      async (file) => {
        await file.setAttribute('data', 'total', 9);
        await file.extend('data/demo_1/actions', 4);
      },
    );
    expect(faults).toMatch(/attribute total is 9, the demos hold 8/);
    expect(faults).toMatch(/data\/demo_1\/actions: has 4 rows, it must have 3/);
  });
});

describe('act', () => {
  it('pads shorter episodes with their last frame, marked', async () => {
    const directory = await write(act);
    const file = await thread.read(join(directory, actFile(1)));
    const root = (await file.list()).find(({ path }) => path === '')!;
    expect(root.attributes).toMatchObject({ sim: 1n, num_steps: 3n });
    const rows = (path: string) => file.values(path).then((values) => [...values]);
    expect(await rows('is_pad')).toEqual([0, 0, 0, 1, 1]);
    expect(await rows('valid/qpos')).toEqual([1, 1, 0, 0, 0]);
    expect(await rows('age/top')).toEqual([...Array(2).fill(Math.fround(0.003)), NaN, NaN, NaN]);
    expect(await rows('observations/qpos')).toEqual([
      1000,
      1001,
      1002,
      1010,
      1011,
      1012,
      ...Array(9).fill(NaN),
    ]);
    const pictures = await file.values('observations/images/top');
    expect(pictures.subarray(4 * 64 * 96 * 3)).toEqual(fixturePicture(96, 64, 102));
    await file.close();
  });

  it('says that a robot without velocities has none', async () => {
    const file = await thread.read(join(await write(act), actFile(0)));
    expect([...(await file.values('observations/qvel'))]).toEqual(Array(15).fill(Number.NaN));
    expect([...(await file.values('valid/qvel'))]).toEqual([0, 0, 0, 0, 0]);
    await file.close();
  });

  it('takes velocities where the contract has them', async () => {
    const features = {
      ...contract.features,
      'observation.velocity': contract.features['observation.state']!,
    };
    const directory = await mkdtemp(join(root, 'velocity-'));
    const frame = fixtureFrame(0, 1);
    const velocity = frame.values.get('observation.state')!;
    const values = new Map([...frame.values, ['observation.velocity', velocity]]);
    await writeFrames(act, fixtureTarget(directory, { ...contract, features }), [[{ ...frame, values }]]);
    expect(await act.verify(directory)).toEqual([]);
    const file = await thread.read(join(directory, actFile(0)));
    expect([...(await file.values('observations/qvel'))]).toEqual([10, 11, 12]);
    await file.close();
  });

  it('verify() finds a missing episode, another length and padding that is not marked', async () => {
    const directory = await write(act);
    const faults = await verifyChanged({ format: act, directory, name: actFile(1) }, async (file) => {
      await file.setAttribute('', 'num_steps', 4);
      await file.extend('observations/qpos', 6);
    });
    expect(faults).toMatch(/episode_1.hdf5: is_pad, row 3: is 1, 4 steps were recorded/);
    expect(faults).toMatch(/episode_1.hdf5: observations\/qpos: has 6 rows, it must have 5/);
    await rename(join(directory, actFile(0)), join(directory, actFile(2)));
    expect((await act.verify(directory)).join('\n')).toMatch(/episode_0.hdf5: is missing among 2 episodes/);
  });

  const state = fixtureContract.features['observation.state']!;
  const top = fixtureContract.features['observation.images.top']!;
  const REFUSED: readonly [string, DatasetFormat, Contract['features'], RegExp][] = [
    ['no action', robomimic, { 'observation.state': state }, /robomimic: its loader needs an action/],
    ['no state', act, { action: state, 'observation.images.top': top }, /needs \/observations\/qpos/],
    ['no picture', act, { action: state, 'observation.state': state }, /no image feature/],
    [
      'pictures of two sizes',
      act,
      { ...fixtureContract.features, 'observation.images.wrist': wrist! },
      /theirs are 96 × 64 and 64 × 64/,
    ],
    [
      'two features of one name',
      robomimic,
      { action: state, 'observation.x': state, x: state },
      /"x" would be named "x" like feature "observation.x"/,
    ],
    [
      'a state that is there twice',
      act,
      { action: state, 'observation.state': state, 'observation.qpos': state, 'observation.images.top': top },
      /"state" and "qpos"/,
    ],
  ];
  it.each(REFUSED)('a writer refuses %s', async (_, format, features, message) => {
    const refused = contractSchema.parse({ ...fixtureContract, features });
    const opened = format.open(fixtureTarget(root, refused));
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.toBeInstanceOf(ConvertError);
  });
});
