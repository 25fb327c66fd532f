import type { DatasetFormat } from '../dataset-writer.ts';
import { imageFeatures } from '../frame-columns.ts';
import { videoPictures } from '../lerobot/lerobot.ts';
import { findVideoBackend } from '../video-backend.ts';
import { LerobotV21Writer } from './lerobot-v21-writer.ts';
import { readLerobotV21 } from './read-lerobot-v21.ts';
import { verifyLerobotV21 } from './verify-lerobot-v21.ts';

/** LeRobot v2.1 with the `modality.json` of GR00T: what openpi and Isaac-GR00T still read. */
export const lerobotV21: DatasetFormat = {
  name: 'lerobot-v21',
  card: {
    tags: ['LeRobot'],
    tables: 'data/*/*.parquet',
    example:
      '# LeRobot v2.1, openpi, Isaac-GR00T\n' +
      'from lerobot.datasets.lerobot_dataset import LeRobotDataset\n\n' +
      'dataset = LeRobotDataset("local/dataset", root="path/to/this/folder")',
  },
  storesVideo: 'exact',
  pictureForm: () => videoPictures({ mayLead: false }),
  open: async (target) => {
    const needed = imageFeatures(target.contract).length > 0;
    return new LerobotV21Writer(target, { backend: needed ? await findVideoBackend() : undefined });
  },
  verify: verifyLerobotV21,
  read: readLerobotV21,
};
