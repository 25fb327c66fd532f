import { audioTrack } from './contract-audio.ts';
import {
  type align,
  type depthFeature,
  feature,
  type imageFeature,
  type outcomeFeature,
  type pointsFeature,
  type textFeature,
  vectorFaults,
  type vectorFeature,
} from './contract-feature.ts';
import { z } from './validation.ts';

/**
 * The contract: one YAML file that says what the robot's streams are and how samples are made of them.
 * Recorder, checks, converters, replay layout and dataset card read this one type. The JSON Schema in
 * `json/contract.schema.json` is generated from it, so editors complete and check the file.
 */

const positive = z.number().positive();
const name = z
  .string()
  .regex(/^[A-Za-z][\w-]*$/, 'must start with a letter and hold letters, digits, "_" or "-"');

const clock = z
  .enum(['sensor', 'publish', 'log'])
  .describe('Instant a value belongs to: its header stamp, its publish time or its receive time.');

const qos = z
  .strictObject({
    reliability: z.enum(['reliable', 'best_effort']).optional(),
    durability: z.enum(['volatile', 'transient_local']).optional(),
    depth: z
      .int()
      .positive()
      .optional()
      .describe('Messages the middleware holds while the recorder is busy: rate times the worst stall.'),
  })
  .describe(
    'ROS 2 quality of service to ask for where it shall differ from what follows from the publishers: ' +
      'reliable and latched if all of them are. More than a publisher offers receives nothing.',
  );

const stream = z.strictObject({
  topic: z.string().startsWith('/').describe('ROS topic name.'),
  role: z
    .enum(['perception', 'motion', 'interaction', 'command', 'context'])
    .describe('Seeing, moving, touching, what was commanded, or everything else.'),
  type: z
    .string()
    .regex(/^\w+\/(msg\/)?\w+$|^[\w.]+$/, 'must be a message type such as "sensor_msgs/msg/JointState"')
    .describe('Expected message type.'),
  rateHz: positive.optional().describe('Expected rate, messages per second; absent for event streams.'),
  maxGapSecs: positive
    .optional()
    .describe('Longest gap between sensor times that is not a loss, seconds; absent: three periods.'),
  required: z.boolean().default(true).describe('Whether a take without this stream is a fault.'),
  clock: clock
    .optional()
    .describe('Instant its values belong to; absent: as the samples say. Types without a header need one.'),
  clockOffset: z
    .literal('estimate')
    .optional()
    .describe(
      'For the sensor clock of another computer: offset and drift are found from the fastest messages and ' +
        'stored in the manifest. Absent: stamps are of the same clock as the recording.',
    ),
  qos: qos.optional(),
  toleratedLoss: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Share of messages that may be lost without a non-zero exit of "record".'),
});

const samples = z.strictObject({
  tickRateHz: positive.describe('Frames per second of the dataset.'),
  clock: clock.default('sensor'),
  observationSteps: z.int().positive().default(1).describe('Frames up to and including the anchor.'),
  horizon: z.int().positive().default(1).describe('Action frames from the anchor on.'),
  stride: z.int().positive().default(1).describe('Frames from one anchor to the next.'),
  padding: z
    .enum(['repeat', 'drop'])
    .default('repeat')
    .describe('Windows over an end of the episode: repeat the edge frame under a mask, or leave out.'),
  actionsFrom: z
    .enum(['anchor', 'first'])
    .default('anchor')
    .describe(
      'Where the action frames begin: at the last observed frame, or at the first one. A clip for a world model ' +
        'is as many of both, from "first", with "padding: drop".',
    ),
  leaveOut: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Names of marks, such as "interruption", whose spans are left out. What remains on either side is an episode ' +
        'of its own, as are the ranges that a trim label keeps.',
    ),
  pauses: z
    .enum(['cut', 'keep'])
    .default('cut')
    .describe(
      'What the operator paused: left out as those marks are, or kept, because the robot worked on meanwhile.',
    ),
  trimStartSecs: z.number().nonnegative().default(0).describe('Left out at the start of every episode.'),
  trimEndSecs: z.number().nonnegative().default(0).describe('Left out at the end of every episode.'),
});

const split = z.strictObject({
  by: z
    .enum(['session', 'operator', 'scene', 'object', 'robot', 'task', 'day', 'episode'])
    .describe('What episodes share that must not lie on both sides of a split; the day is that of UTC.'),
  seed: z.int().default(0).describe('Another seed, another split of the same episodes.'),
  shares: z
    .record(name, positive)
    .refine((shares) => 'train' in shares, 'needs a split named "train": statistics are made of it')
    .refine(
      (shares) => Math.abs(Object.values(shares).reduce((sum, share) => sum + share, 0) - 1) < 1e-6,
      'must add up to 1',
    )
    .describe('Share of the episodes that each split gets: { train: 0.8, val: 0.2 }.'),
});

const episode = z.strictObject({
  tasks: z.array(z.string().min(3)).min(1).describe('Instructions the operator chooses from.'),
  operators: z.array(z.string()).default([]).describe('Pseudonyms of the people who may record.'),
  scenes: z.array(z.string().min(1)).default([]).describe('Places and arrangements a take may have.'),
  objects: z.array(z.string().min(1)).default([]).describe('What a take may handle.'),
  preRollSecs: z
    .number()
    .min(0)
    .max(60)
    .default(0)
    .describe('How much of what came before the start control a take holds, seconds.'),
  postRollSecs: z
    .number()
    .min(0)
    .max(60)
    .default(0)
    .describe('How long a take goes on after the stop control, seconds.'),
  maxDurationSecs: positive.default(600).describe('A take is ended cleanly after this long.'),
});

const checks = z
  .record(
    z.string().regex(/^[A-Z]\d{2}$/, 'must be the id of a check such as "T07"'),
    z.strictObject({ warn: z.number().optional(), fail: z.number().optional() }),
  )
  .describe(
    'Limits of quality checks on this robot where they differ from the catalogue: { T05: { warn: 0.3 } }.',
  );

const robotLimits = z
  .strictObject({
    joints: z
      .record(
        z.string(),
        z.strictObject({ lower: z.number(), upper: z.number(), velocity: positive }).partial(),
      )
      .optional()
      .describe('By joint, radians or metres, and per second: before what the robot description says.'),
    forceNewtons: positive.optional().describe('What the robot may press with.'),
    forceScaleNewtons: positive.optional().describe('Full scale of its force sensor, per axis.'),
  })
  .describe('What the robot is built for; quality checks hold motion and force against it.');

export const contractSchema = z
  .strictObject({
    kinescribe: z.literal(1).describe('Version of this file format.'),
    name: name.describe('Name of the contract; datasets are named after it.'),
    robot: z.strictObject({ model: z.string().min(1), limits: robotLimits.optional() }),
    streams: z.record(name, stream).describe('What the robot sends, by name.'),
    features: z
      .record(z.string().regex(/^[A-Za-z][\w.]*$/, 'must hold letters, digits, "_" and "." only'), feature)
      .describe('What a frame holds, by dataset key such as "observation.state" or "action".'),
    audio: z
      .record(
        z.string().regex(/^[a-z][a-z0-9_-]*$/, 'must hold small letters, digits, "_" and "-" only'),
        audioTrack,
      )
      .optional()
      .describe('Microphones by name, each a WAV file beside the frames of an episode.'),
    samples,
    split: split.optional().describe('How episodes are split; absent: all are for training.'),
    episode,
    checks: checks.optional(),
  })
  .superRefine((contract, context) => {
    const issue = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    const topics = new Map<string, string>();
    for (const [streamName, { topic, clock: own, clockOffset }] of Object.entries(contract.streams)) {
      const other = topics.get(topic);
      if (other) issue(['streams', streamName, 'topic'], `stream "${other}" already has topic "${topic}"`);
      topics.set(topic, streamName);
      const streamClock = own ?? contract.samples.clock;
      if (clockOffset && streamClock !== 'sensor') {
        issue(
          ['streams', streamName, 'clockOffset'],
          `only stamps have an offset to estimate, but the stream's clock is "${streamClock}"; leave it out, or set "clock: sensor"`,
        );
      }
    }
    const known = (kind: 'stream' | 'picture', names: readonly string[], path: string[], named?: string) => {
      if (named === undefined || names.includes(named)) return;
      const near = nearest(named, names);
      issue(path, `no ${kind} is named "${named}"${near ? `; did you mean "${near}"?` : ''}`);
    };
    const streams = Object.keys(contract.streams);
    for (const [track, { stream }] of Object.entries(contract.audio ?? {})) {
      known('stream', streams, ['audio', track, 'stream'], stream);
    }
    const pictures = Object.entries(contract.features).flatMap(([key, { kind }]) =>
      kind === 'image' || kind === 'depth' ? [key] : [],
    );
    for (const [key, each] of Object.entries(contract.features)) {
      const path = ['features', key];
      if (each.kind !== 'outcome') known('stream', streams, [...path, 'stream'], each.stream);
      if (each.kind !== 'vector') continue;
      known('stream', streams, [...path, 'transform', 'static'], each.transform?.static);
      known('picture', pictures, [...path, 'intrinsicsOf'], each.intrinsicsOf);
      for (const [field, message] of vectorFaults(each)) issue([...path, field], message);
    }
  });

export type Contract = Readonly<z.infer<typeof contractSchema>>;
export type Stream = Readonly<z.infer<typeof stream>>;
export type StreamRole = Stream['role'];
export type StreamQos = Readonly<z.infer<typeof qos>>;
export type VectorFeature = Readonly<z.infer<typeof vectorFeature>>;
export type ImageFeature = Readonly<z.infer<typeof imageFeature>>;
export type DepthFeature = Readonly<z.infer<typeof depthFeature>>;
export type PointsFeature = Readonly<z.infer<typeof pointsFeature>>;
export type TextFeature = Readonly<z.infer<typeof textFeature>>;
/** Made of what was said of the episode, not of a stream. */
export type OutcomeFeature = Readonly<z.infer<typeof outcomeFeature>>;
export type StreamFeature = VectorFeature | ImageFeature | DepthFeature | PointsFeature | TextFeature;
export type Feature = StreamFeature | OutcomeFeature;
export type AlignPolicy = z.infer<typeof align>;
export type SampleSettings = Contract['samples'];
export type SampleClock = z.infer<typeof clock>;

/** Longest gap between sensor times that counts as no loss: the stream's own, else three periods. */
export function maxGapSecs({ maxGapSecs, rateHz }: Stream): number | undefined {
  return maxGapSecs ?? (rateHz === undefined ? undefined : 3 / rateHz);
}

/** The candidate closest to a misspelt word, or undefined when none is close. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}
