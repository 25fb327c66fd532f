import { join } from 'node:path';
import type { DatasetFormat } from '../dataset-writer.ts';
import { DIRECTORY_NAME, ZIP_NAME } from './layout.ts';
import { readZarr } from './read-zarr.ts';
import { verifyZarr } from './verify-zarr.ts';
import { DirectorySink, openDirectory } from './zarr-store.ts';
import { ZarrWriter } from './zarr-writer.ts';
import { openZip, ZipSink } from './zip-store.ts';

/** Replay buffer of diffusion_policy in Zarr 2, a file per chunk. */
export const zarr: DatasetFormat = {
  name: 'zarr',
  card: cardOf(DIRECTORY_NAME),
  pictureForm: async () => ({ kind: 'pixels' }),
  open: async (target) => new ZarrWriter(target, new DirectorySink(join(target.directory, DIRECTORY_NAME))),
  verify: (directory) => verifyZarr(() => openDirectory(join(directory, DIRECTORY_NAME))),
  read: (directory, contract) => readZarr(() => openDirectory(join(directory, DIRECTORY_NAME)), contract),
};

/** The same in one zip archive, as UMI passes it around. */
export const zarrZip: DatasetFormat = {
  name: 'zarr-zip',
  card: cardOf(ZIP_NAME),
  pictureForm: async () => ({ kind: 'pixels' }),
  open: async (target) => new ZarrWriter(target, await ZipSink.create(join(target.directory, ZIP_NAME))),
  verify: (directory) => verifyZarr(() => openZip(join(directory, ZIP_NAME))),
  read: (directory, contract) => readZarr(() => openZip(join(directory, ZIP_NAME)), contract),
};

function cardOf(path: string): DatasetFormat['card'] {
  const example =
    'from diffusion_policy.common.replay_buffer import ReplayBuffer\n\n' +
    `buffer = ReplayBuffer.copy_from_path("${path}")`;
  return { tags: ['diffusion-policy'], example };
}
