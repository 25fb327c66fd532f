import { appendFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../schemas/errors.ts';
import { fixtureContract, fixtureTarget, writeEpisodes } from './lerobot/lerobot.fixture.ts';
import { lerobot } from './lerobot/lerobot.ts';
import { writeManifest } from './manifest.ts';
import { verifyDataset } from './verify.ts';

const FORMATS = new Map([[lerobot.name, lerobot]]);

let root: string;
let sound: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'verify-'));
  sound = join(root, 'sound');
  await mkdir(sound);
  const features = { action: fixtureContract.features.action! };
  const target = fixtureTarget(sound, { ...fixtureContract, features });
  const samples = await writeEpisodes(lerobot, target, [6, 3]);
  await writeManifest(sound, {
    version: target.version,
    format: 'lerobot',
    contract: { name: fixtureContract.name, digest: target.contractDigest },
    tickRateHz: 30,
    clock: 'sensor',
    frames: 9,
    samples,
    episodes: [],
    skipped: [],
    features: [],
  });
});
afterAll(() => rm(root, { recursive: true }));

describe('verifyDataset()', () => {
  it('finds a whole dataset sound', async () => {
    const { manifest, faults } = await verifyDataset(sound, FORMATS);
    expect(faults).toEqual([]);
    expect(manifest?.frames).toBe(9);
  });

  const DATA = 'data/chunk-000/file-000.parquet';
  const edit = async (file: string, change: (json: Record<string, unknown>) => void) => {
    const json = JSON.parse(await readFile(file, 'utf8'));
    change(json);
    await writeFile(file, JSON.stringify(json));
  };
  const DAMAGES: readonly [string, (directory: string) => Promise<void>, RegExp][] = [
    [
      'a changed byte',
      async (directory) => {
        const bytes = await readFile(join(directory, DATA));
        bytes[bytes.length >> 1]! ^= 1;
        await writeFile(join(directory, DATA), bytes);
      },
      /^data\/chunk-000\/file-000.parquet: its content has changed since it was written/,
    ],
    [
      'a file that grew',
      (directory) => appendFile(join(directory, DATA), 'x'),
      /parquet: has \d+ bytes, .* says \d+/,
    ],
    [
      'a missing file',
      (directory) => rm(join(directory, 'meta/stats.json')),
      /^meta\/stats.json: is missing/,
    ],
    [
      'a file that nobody listed',
      (directory) => writeFile(join(directory, 'data/chunk-000/file-001.parquet'), ''),
      /^data\/chunk-000\/file-001.parquet: is not listed/,
    ],
    [
      'no manifest',
      (directory) => rm(join(directory, 'manifest.json')),
      /^manifest.json: cannot be read .*ENOENT/,
    ],
    [
      'a manifest of another form',
      (directory) =>
        edit(join(directory, 'manifest.json'), (manifest) => Object.assign(manifest, { frames: -1 })),
      /^manifest.json: .*frames/s,
    ],
    [
      'a format of the future',
      (directory) =>
        edit(join(directory, 'manifest.json'), (manifest) => Object.assign(manifest, { format: 'rlds' })),
      /format "rlds" is unknown/,
    ],
    [
      'what its format finds',
      (directory) =>
        edit(join(directory, 'meta/info.json'), (info) => Object.assign(info, { total_frames: 8 })),
      /^meta\/info.json: total_frames is 8, the tables hold 9/,
    ],
  ];
  it.each(DAMAGES)('names %s', async (name, plant, fault) => {
    const directory = join(root, name);
    await cp(sound, directory, { recursive: true });
    await plant(directory);
    expect((await verifyDataset(directory, FORMATS)).faults).toContainEqual(expect.stringMatching(fault));
  });

  it('refuses a folder that does not exist', async () => {
    await expect(verifyDataset(join(root, 'nowhere'), FORMATS)).rejects.toThrow(UsageError);
  });
});
