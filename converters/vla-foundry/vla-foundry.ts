import type { DatasetFormat } from '../dataset-writer.ts';
import type { ShardLimits } from '../webdataset/shard-writer.ts';
import { readVlaFoundry } from './read-vla-foundry.ts';
import { verifyVlaFoundry } from './verify-vla-foundry.ts';
import { JPEG_QUALITY, VlaFoundryWriter } from './vla-foundry-writer.ts';

/** WebDataset shards of windows in the profile that TRI's vla_foundry trains on. */
export const vlaFoundry: DatasetFormat = vlaFoundryWith({});

/** The same format with other limits. */
export function vlaFoundryWith(limits: ShardLimits): DatasetFormat {
  return {
    name: 'vla-foundry',
    card: {
      tags: ['webdataset'],
      example: '# vla_foundry: --data.dataset_manifest path/to/this/folder/shards/manifest.jsonl',
    },
    pictureForm: async () => ({ kind: 'jpeg', quality: JPEG_QUALITY, frames: 'observed' }),
    open: async (target) => new VlaFoundryWriter(target, limits),
    verify: verifyVlaFoundry,
    read: readVlaFoundry,
  };
}
