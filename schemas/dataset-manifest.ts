import { verdictSchema } from './finding.ts';
import { countNumber, digestText, z } from './validation.ts';

/**
 * `manifest.json` beside every dataset that we write: what it holds, from which recordings, under which
 * contract, and the digest of every file. Readers of the format itself ignore it.
 */
export const MANIFEST_FILE = 'manifest.json';

/** Nanoseconds since the Unix epoch. */
const nanosDigits = z.string().regex(/^-?\d+$/);

/** Null for an element without any finite number. */
const perElement = z.array(z.number().nullable());

const statisticsSchema = z.strictObject({
  count: countNumber,
  ...{ mean: perElement, std: perElement, min: perElement, max: perElement },
  ...{ q01: perElement, q10: perElement, q50: perElement, q90: perElement, q99: perElement },
});

const featureSchema = z.strictObject({
  key: z.string(),
  kind: z.enum(['vector', 'image', 'depth', 'points', 'text', 'outcome']),
  dtype: z.string(),
  shape: z.array(countNumber),
  unit: z.string().optional(),
  /** How it was made of neighbouring ticks. */
  derive: z.string().optional(),
  /** What an action means. */
  actionSpace: z.string().optional(),
  align: z.string(),
  /** Distance between tick and the value used, seconds, over the valid values; null where there is none. */
  ageP50Secs: z.number().nullable(),
  ageP95Secs: z.number().nullable(),
  /** Share of ticks without a value inside the tolerance. */
  invalidShare: z.number().min(0).max(1),
  /** Over the valid values of the training split, per element; absent for pictures and for more than 512 elements. */
  statistics: statisticsSchema.optional(),
});

const clockSchema = z.strictObject({
  stream: z.string(),
  messages: countNumber,
  /** Recorder's clock minus the stream's at its first stamp, the shortest latency included; null where both are one. */
  offsetSecs: z.number().nullable(),
  driftPpm: z.number().nullable(),
  /** Stretches of receive time, nanoseconds, half-open, whose stamps were off and are in no frame. */
  steps: z.array(
    z.strictObject({
      startTime: nanosDigits,
      endTime: nanosDigits,
      /** How far the stamps were ahead. */
      stepSecs: z.number(),
      messages: countNumber,
    }),
  ),
  /** False where stamps jump so often that no steps can be told; nothing was left out then. */
  steady: z.boolean(),
});

const videoSchema = z.strictObject({
  feature: z.string(),
  /** copied: its pictures are those of the recording, not encoded anew. */
  made: z.enum(['copied', 'encoded']),
  /** Pictures before the episode's first, back to a keyframe; absent where there are none. */
  lead: countNumber.optional(),
  /** Why it is not copied. */
  reason: z.string().optional(),
});

const unusableSchema = z.strictObject({
  stream: z.string(),
  /** Before the first keyframe. */
  unbegun: countNumber,
  /** After a lost picture, until the next keyframe. */
  broken: countNumber,
});

const episodeSchema = z.strictObject({
  index: countNumber,
  id: z.string(),
  file: z.string(),
  digest: digestText,
  task: z.string(),
  /** Name of the split that it belongs to; absent where the contract asks for none. */
  split: z.string().optional(),
  frames: countNumber,
  /** Frames left out at the two ends because a stream had not begun or had ended. */
  trimmedStart: countNumber,
  trimmedEnd: countNumber,
  /** Ticks of its recording that lie in the operator's pauses, and are in no episode; absent where there are none. */
  pausedTicks: countNumber.optional(),
  /** Ticks of its recording that are in no episode for another reason: labels, marks, trimming by contract. */
  leftOutTicks: countNumber.optional(),
  /** Tick time of the first frame, nanoseconds. */
  startTime: nanosDigits,
  /** Tick time of the last frame. */
  endTime: nanosDigits,
  /** Of every stream that is on its sensor's clock. */
  clocks: z.array(clockSchema),
  /** Of cameras that were recorded as video, in datasets that hold video. */
  videos: z.array(videoSchema).optional(),
  /** Pictures of video that are in no frame, because what they build on is not there; absent where there are none. */
  unusablePictures: z.array(unusableSchema).optional(),
  /** Its sound, by microphone; absent where the contract names none. */
  audio: z
    .array(
      z.strictObject({
        name: z.string(),
        /** In the WAV file: as long as the frames. */
        samples: countNumber,
        /** Samples, half-open, that were not recorded and are silence. */
        silences: z.array(z.strictObject({ from: countNumber, to: countNumber })),
        /** How far the stamps moved away from the sample clock, which the file follows. */
        driftSecs: z.number(),
      }),
    )
    .optional(),
  /** What the checks made of the recording; absent where it was not checked. */
  verdict: verdictSchema.optional(),
});

export const datasetManifestSchema = z.strictObject({
  kinescribe: z.literal(1),
  /** Version of the program that wrote the dataset. */
  version: z.string(),
  format: z.string(),
  contract: z.strictObject({ name: z.string(), digest: digestText }),
  tickRateHz: z.number().positive(),
  clock: z.enum(['sensor', 'publish', 'log']),
  /** How episodes were split, by the contract. */
  split: z
    .strictObject({ by: z.string(), seed: z.int(), shares: z.record(z.string(), z.number()) })
    .optional(),
  /** Microphones: `audio/<name>/episode_<index, six digits>.wav`, sample 0 at the tick of the first frame. */
  audio: z
    .array(
      z.strictObject({
        name: z.string(),
        sampleRateHz: countNumber,
        channels: countNumber,
        format: z.enum(['s16le', 'f32le']),
      }),
    )
    .optional(),
  frames: countNumber,
  /** Windows, where the format stores windows; equal to frames elsewhere. */
  samples: countNumber,
  episodes: z.array(episodeSchema),
  /** Recordings that gave no frames, and are in the dataset with none. */
  skipped: z.array(z.string()),
  features: z.array(featureSchema),
  files: z.array(z.strictObject({ path: z.string(), bytes: countNumber, digest: digestText })),
});

export type DatasetManifest = Readonly<z.infer<typeof datasetManifestSchema>>;
export type ManifestFeature = DatasetManifest['features'][number];
export type ManifestEpisode = DatasetManifest['episodes'][number];
export type ManifestVideo = NonNullable<ManifestEpisode['videos']>[number];
export type ManifestClock = ManifestEpisode['clocks'][number];
