import type { DatasetFormat } from '../dataset-writer.ts';
import { readWebDataset } from './read-webdataset.ts';
import { verifyShards } from './verify-shards.ts';
import { JPEG_QUALITY, type WebDatasetOptions, WebDatasetWriter } from './webdataset-writer.ts';

/** Tar shards of windows for the `webdataset` library. */
export const webdataset: DatasetFormat = webdatasetWith({});

/** The same format with other limits. */
export function webdatasetWith(options: WebDatasetOptions): DatasetFormat {
  return {
    name: 'webdataset',
    card: {
      tags: ['webdataset'],
      example:
        'import webdataset\n\n' +
        'dataset = webdataset.WebDataset("shard-{000000..000000}.tar", shardshuffle=False).decode("rgb")',
    },
    pictureForm: async () => ({
      kind: 'jpeg',
      quality: options.jpegQuality ?? JPEG_QUALITY,
      frames: 'observed',
    }),
    open: async (target) => new WebDatasetWriter(target, options),
    verify: verifyShards,
    read: readWebDataset,
  };
}
