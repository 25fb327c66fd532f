import { randomBytes } from 'node:crypto';
import { open, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { readLibrary } from '../../schemas/library.ts';
import type { ExpectedRate } from './expected-rate.ts';
import type { StartCheck } from './start-check.ts';

export interface StorageOptions {
  /** The library; need not be there yet. */
  readonly directory: string;
  /** What recording writes; undefined without a contract. */
  readonly rate?: ExpectedRate | undefined;
  /** Longest take of the contract, seconds. */
  readonly maxDurationSecs?: number | undefined;
}

/** Stays free for the end of a take; the recorder's own reserve. */
const RESERVE_BYTES = 512 * 2 ** 20;
/** Without a contract: a few minutes of one camera. */
const LITTLE_BYTES = 2e9;
/** A disk as fast as the robot on average is too slow in its worst second. */
const HEADROOM = 1.5;

/** Whether the longest take of the contract fits on the disk. */
export async function checkSpace({
  directory,
  rate,
  maxDurationSecs = 0,
}: StorageOptions): Promise<StartCheck> {
  const { bavail, bsize } = await statfs(await existingFolder(directory));
  const freeBytes = Math.max(0, bavail * bsize - RESERVE_BYTES);
  const neededBytes = rate ? rate.bytesPerSec * maxDurationSecs : LITTLE_BYTES;
  const time = rate
    ? `, ${minutes(freeBytes / rate.bytesPerSec)} of recording at ${megabytes(rate.bytesPerSec)}/s (${rate.basis})`
    : '';
  const found = `${megabytes(freeBytes)} free in "${directory}"${time}`;
  if (freeBytes >= neededBytes) return { name: 'disk space', verdict: 'well', found };
  return {
    name: 'disk space',
    verdict: 'fault',
    found: `${found}; ${rate ? 'the longest take of the contract' : 'a take'} may need ${megabytes(neededBytes)}`,
    remedy: `Free space there ("du -sh ${join(directory, '*')}"), or record elsewhere with "--out <folder>".`,
  };
}

/** Whether the disk takes what the robot sends: writes a file and removes it. */
export async function checkWriteSpeed({ directory, rate }: StorageOptions): Promise<StartCheck> {
  const name = 'disk speed';
  let bytesPerSec: number;
  try {
    bytesPerSec = await writeSpeed(await existingFolder(directory));
  } catch (error) {
    return {
      name,
      verdict: 'fault',
      found: `"${directory}" cannot be written: ${(error as Error).message}`,
      remedy: `Give yourself the folder ("sudo chown -R $USER ${directory}"), or record elsewhere with "--out <folder>".`,
    };
  }
  const needed = rate ? `; the contract needs ${megabytes(rate.bytesPerSec)}/s (${rate.basis})` : '';
  const found = `${megabytes(bytesPerSec)}/s written and synced${needed}`;
  if (!rate || bytesPerSec >= HEADROOM * rate.bytesPerSec) return { name, verdict: 'well', found };
  return {
    name,
    verdict: 'fault',
    found,
    remedy: 'Record to a local SSD with "--out <folder>", or compress the cameras\' pictures on the robot.',
  };
}

/** Recordings that a crash has left. */
export async function checkLeftovers({ directory }: StorageOptions): Promise<StartCheck> {
  const name = 'unfinished takes';
  const library = await readLibrary(directory).catch(() => undefined); // not there yet
  const unfinished = library?.unfinished ?? [];
  if (unfinished.length === 0) return { name, verdict: 'well', found: `none in "${directory}"` };
  return {
    name,
    verdict: 'note',
    found: `${unfinished.length} in "${directory}", of a crash or of a recorder that is running`,
    remedy: `kinescribe recover ${unfinished.map((file) => `"${file}"`).join(' ')}`,
  };
}

const BLOCK_BYTES = 4 * 2 ** 20;
const TOTAL_BYTES = 64 * 2 ** 20;
/** A slow disk has shown itself by then. */
const LONGEST_MILLIS = 1500;

async function writeSpeed(folder: string): Promise<number> {
  const path = join(folder, `.kinescribe-speed-${process.pid}`);
  const block = randomBytes(BLOCK_BYTES); // that no file system can compress
  const file = await open(path, 'wx');
  try {
    const start = performance.now();
    let bytes = 0;
    let millis = 0;
    while (bytes < TOTAL_BYTES && millis < LONGEST_MILLIS) {
      await file.write(block);
      await file.datasync();
      bytes += BLOCK_BYTES;
      millis = performance.now() - start;
    }
    return (bytes / millis) * 1000;
  } finally {
    await file.close();
    await rm(path);
  }
}

/** The folder itself, or the nearest one above in which it would be made. */
async function existingFolder(directory: string): Promise<string> {
  for (let folder = resolve(directory); ; folder = dirname(folder)) {
    const found = await stat(folder).catch(() => undefined);
    if (found?.isDirectory() || folder === dirname(folder)) return folder;
  }
}

function megabytes(bytes: number): string {
  if (bytes >= 1e11) return `${(bytes / 1e9).toFixed(0)} GB`;
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toPrecision(3)} MB`;
}

function minutes(secs: number): string {
  return secs >= 36_000 ? `${Math.round(secs / 3600)} hours` : `${Math.round(secs / 60)} minutes`;
}
