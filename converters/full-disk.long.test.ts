import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { StorageError } from '../schemas/errors.ts';
import { fileDigest } from '../schemas/file-digest.ts';
import { type ConvertOptions, convertEpisodes } from './convert.ts';
import type { DatasetFormat } from './dataset-writer.ts';
import { filesBelow } from './files-below.ts';
import { robomimic } from './hdf5/robomimic.ts';
import { lerobot } from './lerobot/lerobot.ts';
import { pictureContract, writePictureEpisode } from './picture-episodes.fixture.ts';
import { PREPARED } from './prepared/prepared-folder.ts';
import { webdataset } from './webdataset/webdataset.ts';
import { zarr } from './zarr/zarr.ts';

const root = await mkdtemp(join(tmpdir(), 'full-disk-'));
const disk = join(root, 'disk');
await mkdir(disk);
const mount = (size: string, ...how: string[]) =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', [`size=${size}`, ...how].join(','), 'tmpfs', disk]).status === 0;
const canMount = mount('1m');
if (canMount) execFileSync('umount', [disk]);
afterAll(() => rm(root, { recursive: true }));

const files = [0, 1].map((i) => join(root, `take-${i}.mcap`));
beforeAll(async () => {
  for (const [episode, file] of files.entries()) await writePictureEpisode(file, { episode, messages: 12 });
});

async function contents(directory: string): Promise<ReadonlyMap<string, string>> {
  const paths = (await filesBelow(directory)).filter((path) => !path.startsWith(PREPARED));
  return new Map(
    await Promise.all(paths.map(async (path) => [path, await fileDigest(join(directory, path))] as const)),
  );
}

const options = (directory: string, part: Partial<ConvertOptions>): ConvertOptions => ({
  ...{ contract: pictureContract, formats: [], directory, version: '0.0.0', ...part },
});

/** Where the room runs out: in this process or another, in an encoder, or in HDF5. */
const CASES: readonly [string, { format: DatasetFormat; size: string; workers: number }][] = [
  ['while a recording is prepared', { format: webdataset, size: '80k', workers: 1 }],
  ['while a process prepares a recording', { format: webdataset, size: '80k', workers: 2 }],
  ['while an encoder writes', { format: lerobot, size: '24k', workers: 1 }],
  ['while files are written', { format: zarr, size: '260k', workers: 1 }],
  ['while HDF5 writes', { format: robomimic, size: '400k', workers: 1 }],
];

it.skipIf(!canMount).each(CASES)(
  'convertEpisodes() says that the disk is full %s, and goes on with resume (needs the right to mount)',
  async (_, { format, size, workers }) => {
    expect(mount(size)).toBe(true);
    try {
      const part = { formats: [format], workers };
      const failed = convertEpisodes(files, options(disk, part));
      await expect(failed).rejects.toThrow(
        /^Cannot convert into ".*disk": the disk is full\. .* go on with --resume/,
      );
      await expect(failed).rejects.toBeInstanceOf(StorageError);
      expect(await readdir(disk)).toEqual([PREPARED]);
      expect(mount('16m', 'remount')).toBe(true);
      const { skipped } = await convertEpisodes(files, options(disk, { ...part, resume: true }));
      expect(skipped).toEqual([]);
      const whole = await mkdtemp(join(root, 'whole-'));
      await convertEpisodes(files, options(whole, part));
      expect(await contents(disk)).toEqual(await contents(whole));
    } finally {
      execFileSync('umount', [disk]);
    }
  },
);

it.skipIf(!canMount)(
  'convertEpisodes() leaves a dataset as it is when there is no room to append (needs the right to mount)',
  async () => {
    expect(mount('700k')).toBe(true);
    try {
      const part = { formats: [robomimic] };
      await convertEpisodes(files.slice(0, 1), options(disk, part));
      const before = await contents(disk);
      await expect(convertEpisodes(files, options(disk, { ...part, append: true }))).rejects.toThrow(
        /disk is full/,
      );
      expect(await contents(disk)).toEqual(before);
    } finally {
      execFileSync('umount', [disk]);
    }
  },
);
