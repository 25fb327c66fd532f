import type { Contract, SampleSettings } from '../../schemas/contract.ts';
import { countNumber, z } from '../../schemas/validation.ts';
import type { FrameColumn } from '../frame-columns.ts';
import type { NpyType } from '../npz.ts';
import { featureLayouts } from '../webdataset/layout.ts';

/** Archives and what describes them lie in one folder: the trainer looks for shards beside their manifest. */
export const SHARDS = 'shards';
export const MANIFEST_LINES = 'manifest.jsonl';
export const STATS_FILE = 'stats.json';
export const CONFIG_FILE = 'preprocessing_config.yaml';
export const METADATA_FILE = 'processing_metadata.json';

/** Members of a sample, without its key. */
export const LOWDIM = 'lowdim.npz';
export const METADATA = 'metadata.json';
export const INSTRUCTIONS = 'language_instructions.json';

export const shardName = (shard: number) => `shard_${String(shard).padStart(6, '0')}`;

/** `front_t-1.jpg`; offsets count frames from the anchor, 0 or negative. */
export function pictureMember(camera: string, offset: number): string {
  return `${camera}_t${offset}.jpg`;
}

/** Cameras by feature. @throws {ConvertError} when there is none, or two would bear one name. */
export function cameras(contract: Contract): ReadonlyMap<string, string> {
  return new Map(
    featureLayouts(contract).flatMap(({ key, camera }) => (camera === undefined ? [] : [[key, camera]])),
  );
}

/** Frames of a window before and after its anchor. */
export function spanOf({ observationSteps, horizon }: Pick<SampleSettings, 'observationSteps' | 'horizon'>): {
  readonly past: number;
  readonly future: number;
} {
  return { past: observationSteps - 1, future: horizon - 1 };
}

/** Frames of all steps of a window, those beyond an end of the episode repeating its edge. */
export function stepFrames(
  anchor: number,
  { frames, past, future }: { readonly frames: number; readonly past: number; readonly future: number },
): readonly number[] {
  return Array.from({ length: past + 1 + future }, (_, step) =>
    Math.min(Math.max(anchor - past + step, 0), frames - 1),
  );
}

/** The steps of one window. */
export interface Steps {
  readonly anchor: number;
  /** Frame of each step. */
  readonly frames: readonly number[];
  /** Of each step, whether it lies within the episode. */
  readonly real: readonly boolean[];
}

/** The windows of an episode of so many frames. */
export function* windowSteps(
  frames: number,
  { stride, padding, ...settings }: SampleSettings,
): Generator<Steps> {
  const { past, future } = spanOf(settings);
  for (let anchor = 0; anchor < frames; anchor += stride) {
    const steps = stepFrames(anchor, { frames, past, future });
    const real = steps.map((frame, step) => frame === anchor - past + step);
    if (padding === 'repeat' || !real.includes(false)) yield { anchor, frames: steps, real };
  }
}

/** Name of a column's array; those of a feature itself are what a trainer is told as action and proprioception. */
export function arrayName({ content, key }: Pick<FrameColumn, 'content' | 'key'>): string {
  return { value: key, age: `age.${key}`, valid: `valid.${key}`, tickTime: 'tick_time' }[content];
}

export const NPY_TYPES = {
  float32: '<f4',
  float64: '<f8',
  int64: '<i8',
  int16: '<i2',
  uint16: '<u2',
  uint8: '|u1',
  bool: '|b1',
} as const satisfies Record<string, NpyType>;

export const metadataSchema = z.object({
  episode_id: z.string(),
  sample_id: z.string(),
  anchor_timestep: countNumber,
  /** Where the anchor lies among the steps: a trainer that crops needs it. */
  anchor_relative_idx: countNumber,
  image_timesteps: z.array(z.int()),
  lowdim_start_timestep: countNumber,
  lowdim_end_timestep: countNumber,
  past_padding: countNumber,
  future_padding: countNumber,
  camera_names: z.array(z.string()),
  original_episode_length: countNumber,
  is_padded: z.boolean(),
  original_image_sizes: z.record(z.string(), z.tuple([countNumber, countNumber])),
  kinescribe: z.object({ recording: z.string(), contract: z.string(), version: z.string() }),
});

export type SampleMetadata = z.infer<typeof metadataSchema>;

/** Of the kinds that the trainer knows, the one that is written. */
export const instructionsSchema = z.object({ original: z.tuple([z.string()]) });

export const lineSchema = z.object({ shard: z.string(), num_sequences: countNumber });
