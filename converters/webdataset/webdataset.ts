import type { DatasetFormat } from '../dataset-writer.ts';
import { verifyShards } from './verify-shards.ts';
import { type WebDatasetOptions, WebDatasetWriter } from './webdataset-writer.ts';

/** Tar shards of windows for the `webdataset` library. */
export const webdataset: DatasetFormat = webdatasetWith({});

/** The same format with other limits. */
export function webdatasetWith(options: WebDatasetOptions): DatasetFormat {
  return {
    name: 'webdataset',
    open: async (target) => new WebDatasetWriter(target, options),
    verify: verifyShards,
  };
}
