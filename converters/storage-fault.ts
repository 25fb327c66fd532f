import { statfs } from 'node:fs/promises';
import { StorageError, UsageError } from '../schemas/errors.ts';

/** What the system says when it refuses to write, and what that means. */
const REFUSALS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
  EFBIG: 'the disk takes no larger files',
  EROFS: 'it lies on a disk that may only be read',
  EACCES: 'it may not be written',
  EPERM: 'it may not be written',
  ENOTDIR: 'a part of its path is a file',
  EEXIST: 'a part of its path is a file',
  // What Node.js says of a folder on a disk that may only be read, too.
  ENOENT: 'a folder of it is gone or cannot be made',
};
/** These speak of the file that they name, which may be a recording. */
const OF_A_PATH = new Set(['EACCES', 'EPERM', 'ENOTDIR', 'EEXIST', 'ENOENT']);
/** Of room that passes. */
const OF_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** With less than this left a disk is full, bytes: encoders and HDF5 tell that a write failed, not why. */
const FULL_BYTES = 256 << 10;

/**
 * What keeps a conversion from writing, where that is what an error comes of; to be asked before anything is removed.
 *
 * @param directory that the datasets are written into.
 */
export async function storageFault(error: unknown, directory: string): Promise<StorageError | undefined> {
  if (error instanceof StorageError) return error;
  if (error instanceof UsageError) return undefined; // nothing was written
  const { code = '', path = '' } = error as NodeJS.ErrnoException;
  const isRefused = code in REFUSALS && (!OF_A_PATH.has(code) || path.startsWith(directory));
  const found = isRefused ? code : (await isFull(directory)) ? 'ENOSPC' : undefined;
  if (found === undefined) return undefined;
  const advice = OF_ROOM.has(found)
    ? 'The recordings that are prepared are kept: make room and go on with --resume (or --append), with --no-keep ' +
      'in half the space.'
    : 'Choose a folder that you may write into.';
  return new StorageError(`Cannot convert into "${directory}": ${REFUSALS[found]}. ${advice}`, {
    cause: error,
  });
}

async function isFull(directory: string): Promise<boolean> {
  const disk = await statfs(directory).catch(() => undefined);
  return disk !== undefined && disk.bavail * disk.bsize < FULL_BYTES;
}
