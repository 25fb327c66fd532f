import type { Contract, Feature, SampleSettings } from '../../schemas/contract.ts';
import type { AudioTrack } from '../../schemas/contract-audio.ts';
import { ConvertError } from '../../schemas/errors.ts';
import { z } from '../../schemas/validation.ts';
import { type SampleRange, sampleAt } from '../audio/audio-track.ts';
import { numberForm, slotCount } from '../frame.ts';

/**
 * Where things lie in a dataset of shards. `<key>.sample.mp` holds the numbers of a sample, and
 * `<key>.<camera>.t-1.jpg`, `<key>.<camera>.t0.jpg` its pictures, t0 being the anchor frame, `<key>.<microphone>.wav`
 * what was heard. WebDataset
 * takes everything up to the first dot as the key, lower-cases the rest, and decodes by the last ending.
 */
export const SAMPLE_MEMBER = 'sample.mp';
export const INDEX_FILE = 'dataset.json';

export function shardName(index: number): string {
  return `shard-${String(index).padStart(6, '0')}.tar`;
}

/** Key of the sample about one frame of an episode. */
export function sampleKey(episodeId: string, frameIndex: number): string {
  return `${episodeId.replace(/[^\w-]/g, '-')}_${String(frameIndex).padStart(6, '0')}`;
}

/** Name of a picture without the key; `offset` counts frames from the anchor, 0 or negative. */
export function pictureMember(camera: string, offset: number): string {
  return `${camera}.t${offset}.jpg`;
}

/** Name of the sound of a window without the key; torchaudio and soundfile read it as they find it. */
export function soundMember(microphone: string): string {
  return `${microphone}.wav`;
}

/**
 * What was heard while a window was observed: up to the anchor's tick and not beyond, each frame as long as the time
 * since the tick before. Every window has as many samples.
 */
export function heardRange(
  anchor: number,
  track: Pick<AudioTrack, 'sampleRateHz'>,
  samples: Pick<SampleSettings, 'tickRateHz' | 'observationSteps'>,
): SampleRange {
  const { tickRateHz, observationSteps } = samples;
  const to = sampleAt(anchor, track, tickRateHz);
  return { from: to - sampleAt(observationSteps, track, tickRateHz), to };
}

/** Observations lead up to the anchor frame, actions start at it; the dataset key decides. */
export type Role = 'observation' | 'action';

export function roleOf(key: string): Role {
  return key === 'action' || key.startsWith('action.') ? 'action' : 'observation';
}

/** One feature as the samples hold it. */
export interface FeatureLayout {
  readonly key: string;
  readonly role: Role;
  readonly feature: Feature;
  /** Of a picture: the middle of its members' names. */
  readonly camera: string | undefined;
}

/** @throws {ConvertError} when pictures cannot be told apart or lie in the future. */
export function featureLayouts(contract: Contract): FeatureLayout[] {
  const layouts = Object.entries(contract.features).map(([key, feature]): FeatureLayout => {
    const camera = feature.kind === 'image' ? cameraName(key) : undefined;
    return { key, role: roleOf(key), feature, camera };
  });
  const cameras = new Map<string, string>();
  for (const { key, role, camera } of layouts) {
    if (camera === undefined) continue;
    if (role === 'action') {
      throw new ConvertError(
        `Cannot write feature "${key}" to shards: pictures are observations. Name it "observation.images.…".`,
      );
    }
    const other = cameras.get(camera);
    if (other !== undefined) {
      throw new ConvertError(
        `Cannot write features "${other}" and "${key}" to shards: both would be named "${camera}", ` +
          'because WebDataset lower-cases names. Rename one of them in the contract.',
      );
    }
    cameras.set(camera, key);
  }
  return layouts;
}

function cameraName(key: string): string {
  return key.replace(/^observation\.images?\./, '').toLowerCase();
}

const count = z.int().nonnegative();

/** `dataset.json`: what a training job needs to know before it opens a shard. */
export const indexSchema = z.strictObject({
  kinescribe: z.literal(1),
  name: z.string(),
  tickRateHz: z.number().positive(),
  observationSteps: z.int().positive(),
  horizon: z.int().positive(),
  stride: z.int().positive(),
  padding: z.enum(['repeat', 'drop']),
  /** Where the action frames begin: at the anchor, or at the first observed frame. */
  actionsFrom: z.enum(['anchor', 'first']).default('anchor'),
  tasks: z.array(z.string()),
  features: z.array(
    z.strictObject({
      key: z.string(),
      role: z.enum(['observation', 'action']),
      kind: z.enum(['vector', 'image', 'text']),
      dtype: z.string(),
      /** Of the whole window: steps first. */
      shape: z.array(count),
      names: z.array(z.string()).optional(),
      unit: z.string().optional(),
      /** Of a feature that is a window: its slots, the second dimension of its value and of its age. */
      slots: count.optional(),
      /** Of a picture: its members' names in order of steps, without the key. */
      members: z.array(z.string()).optional(),
    }),
  ),
  /** Microphones: the sound of the observed frames, ending at the anchor's tick. */
  audio: z
    .array(
      z.strictObject({
        name: z.string(),
        member: z.string(),
        sampleRateHz: count,
        channels: count,
        format: z.enum(['s16le', 'f32le']),
        /** Of every window. */
        samples: count,
      }),
    )
    .optional(),
  samples: count,
  shards: z.array(z.strictObject({ path: z.string(), samples: count, bytes: count })),
});

export type DatasetIndex = Readonly<z.infer<typeof indexSchema>>;

/** The microphones of the index; undefined where the contract names none. */
export function indexAudio({ audio, samples }: Contract): DatasetIndex['audio'] {
  if (!audio) return undefined;
  return Object.entries(audio).map(([name, track]) => {
    const { sampleRateHz, channels, format } = track;
    const { from, to } = heardRange(0, track, samples);
    return { name, member: soundMember(name), sampleRateHz, channels, format, samples: to - from };
  });
}

/** The part of the index that the contract decides. */
export function indexFeatures(contract: Contract): DatasetIndex['features'] {
  const { observationSteps, horizon } = contract.samples;
  return featureLayouts(contract).map(({ key, role, feature, camera }) => {
    const steps = role === 'action' ? horizon : observationSteps;
    if (feature.kind === 'image') {
      const members = Array.from({ length: steps }, (_, i) => pictureMember(camera!, i - steps + 1));
      const shape = [steps, feature.height, feature.width, 3];
      return { key, role, kind: 'image', dtype: 'uint8', shape, members };
    }
    if (feature.kind === 'text') return { key, role, kind: 'text', dtype: 'string', shape: [steps] };
    const { dtype, shape, names, unit } = numberForm(feature);
    const slots = slotCount(feature);
    return {
      key,
      role,
      kind: 'vector',
      dtype,
      shape: [steps, ...(feature.kind === 'outcome' ? [] : shape)],
      ...(names && { names: [...names] }),
      ...(unit !== undefined && { unit }),
      ...(slots !== undefined && { slots }),
    };
  });
}
