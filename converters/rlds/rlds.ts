import type { DatasetFormat } from '../dataset-writer.ts';
import { readRlds } from './read-rlds.ts';
import { JPEG_QUALITY, type RldsOptions, RldsWriter } from './rlds-writer.ts';
import { verifyRlds } from './verify-rlds.ts';

/** RLDS as TFDS stores it: TFRecord shards of episodes for `tfds.builder_from_directory`. */
export const rlds: DatasetFormat = rldsWith({});

/** The same format with other limits. */
export function rldsWith(options: RldsOptions): DatasetFormat {
  return {
    name: 'rlds',
    card: {
      tags: ['rlds'],
      example:
        'import tensorflow_datasets as tfds\n\n' +
        'dataset = tfds.builder_from_directory("<name>/1.0.0").as_dataset(split="train")',
    },
    pictureForm: async () => ({ kind: 'jpeg', quality: options.jpegQuality ?? JPEG_QUALITY, frames: 'all' }),
    open: async (target) => new RldsWriter(target, options),
    verify: verifyRlds,
    read: readRlds,
  };
}
