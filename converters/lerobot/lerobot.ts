import type { DatasetFormat, DatasetTarget } from '../dataset-writer.ts';
import { findVideoBackend } from '../video-backend.ts';
import { cameras } from './data-columns.ts';
import { LerobotWriter } from './lerobot-writer.ts';
import { verifyLerobot } from './verify-lerobot.ts';

/** LeRobot v3.0: Parquet rows, one video per camera, statistics. Read by `LeRobotDataset`. */
export const lerobot: DatasetFormat = {
  name: 'lerobot',
  async open(target: DatasetTarget) {
    const backend = cameras(target.contract).length > 0 ? await findVideoBackend() : undefined;
    return new LerobotWriter(target, { backend });
  },
  verify: verifyLerobot,
};
