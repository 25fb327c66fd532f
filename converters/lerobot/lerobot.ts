import type { DatasetFormat } from '../dataset-writer.ts';
import { imageFeatures } from '../frame-columns.ts';
import type { PictureForm } from '../prepared/picture-form.ts';
import { findVideoBackend } from '../video-backend.ts';
import type { VideoBackendName } from '../video-encoder.ts';
import { type LerobotLimits, LerobotWriter } from './lerobot-writer.ts';
import { readLerobot } from './read-lerobot.ts';
import { verifyLerobot } from './verify-lerobot.ts';

export interface LerobotOptions extends LerobotLimits {
  /** Makes the videos. @default the first that this machine has */
  readonly backend?: VideoBackendName;
}

/** LeRobot v3.0: Parquet rows, one video per camera, statistics. Read by `LeRobotDataset`. */
export const lerobot: DatasetFormat = lerobotWith({});

/** The same format with another encoder or other limits. */
export function lerobotWith({ backend, ...limits }: LerobotOptions): DatasetFormat {
  return {
    name: 'lerobot',
    card: {
      tags: ['LeRobot'],
      tables: 'data/*/*.parquet',
      example:
        'from lerobot.datasets.lerobot_dataset import LeRobotDataset\n\n' +
        'dataset = LeRobotDataset("local/dataset", root="path/to/this/folder")',
    },
    storesVideo: 'led',
    pictureForm: () => videoPictures({ mayLead: true, backend }),
    open: async (target) => {
      const needed = imageFeatures(target.contract).length > 0;
      return new LerobotWriter(target, {
        ...limits,
        backend: needed ? await findVideoBackend(backend) : undefined,
      });
    },
    verify: verifyLerobot,
    read: readLerobot,
  };
}

/** Pictures as video. @throws {MissingFeatureError} when this machine cannot make it. */
export async function videoPictures({
  mayLead,
  backend,
}: {
  readonly mayLead: boolean;
  readonly backend?: VideoBackendName | undefined;
}): Promise<PictureForm> {
  const { name, encoder } = await findVideoBackend(backend);
  return { kind: 'video', backend: name, encoder, mayLead };
}
