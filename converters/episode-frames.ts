import type { Contract, Feature } from '../schemas/contract.ts';
import type { EpisodeReader } from '../schemas/episode-reader.ts';
import type { CurrentLabels } from '../schemas/labels.ts';
import type { TimeRange } from '../schemas/time.ts';
import type { Choice } from './align.ts';
import { type AlignOptions, alignStreams, type Sample } from './align-streams.ts';
import type { ClockReport } from './clock-survey.ts';
import { deriveFrames } from './derive.ts';
import { type EpisodeEnd, outcomeValue } from './feature-outcome.ts';
import { type FeaturePlan, planFeatures } from './feature-plan.ts';
import type { Frame, FrameValue } from './frame.ts';
import { planStreams } from './stream-plan.ts';
import { type ChosenTick, chosenTicks, surveyTicks, trimmed } from './tick-choice.ts';
import { clockLagNanos, tickRange, ticksWithin } from './tick-range.ts';
import { planTransforms } from './transform-plan.ts';
import type { Unusable } from './video-stream.ts';

/** What became of an episode's ticks, known when its last frame was taken. */
export interface FramesReport {
  readonly frames: number;
  /** Ticks of the episode, from the first message of the required streams to their last. */
  readonly ticks: number;
  /** Ticks left out before the first and after the last frame, because they are not complete. */
  readonly trimmedStart: number;
  readonly trimmedEnd: number;
  /** Why the start was trimmed: by required feature, the ticks before the first complete one that lack it. */
  readonly missingAtStart: ReadonlyMap<string, number>;
  /** Messages, by stream, that came too late for a tick which they could have served; see AlignOptions. */
  readonly lateMessages: ReadonlyMap<string, number>;
  /** Messages of video, by stream, whose picture can be in no frame, and why. */
  readonly unusablePictures: ReadonlyMap<string, UnusablePictures>;
  /** By stream that is on its sensor's clock: what its stamps turned out to be worth. */
  readonly clocks: ReadonlyMap<string, ClockReport>;
  /** Ticks of the recording, of which the episode may be a stretch. */
  readonly recordingTicks: number;
  /** How many ticks of the recording lie in a stretch of it, log time. */
  ticksIn(stretch: TimeRange): number;
}

/** Pictures before the first keyframe, and those after a lost one up to the next keyframe. */
export type UnusablePictures = Readonly<Record<Exclude<Unusable, 'empty'>, number>>;

export interface FramesOptions extends Omit<AlignOptions, 'onLate' | 'onUnusable'> {
  /** Whether pictures are decoded; else all are black, which costs nothing. @default true */
  readonly decodesPictures?: boolean;
  /**
   * Of decoded pictures, which are looked at, by feature and the first frame that shows them; the others show what
   * was shown before. Video is decoded all the same: nothing else tells whether it is whole. @default all
   */
  readonly wantsPicture?: ((key: string, frame: number) => boolean) | undefined;
  /** Which features are read; frames are without the others. @default all */
  readonly reads?: (feature: Feature) => boolean;
  /** The part of the recording that is the episode, log time; see `keptRanges()`. @default all */
  readonly within?: TimeRange | undefined;
  /** What was said of the episode: its outcome, and the mark "goal". @default nothing */
  readonly labels?: Pick<CurrentLabels, 'outcome' | 'marks'> | undefined;
}

/** Frames whose pictures are decoded at the same time: sharp uses libuv's four threads. */
const FRAMES_IN_FLIGHT = 4;

/**
 * The frames of an episode under a contract, in order. A tick is complete when every feature of a required
 * stream is valid; frames run from the first complete tick to the last one, and incomplete ticks between
 * them are frames with masks. Memory does not grow with the episode: see {@link AlignOptions}.
 *
 * @throws {ConvertError} when the episode cannot be read under this contract.
 * @throws {MessageError} when a message does not decode.
 */
export function episodeFrames(
  reader: EpisodeReader,
  contract: Contract,
  options: FramesOptions = {},
): AsyncGenerator<Frame, FramesReport> {
  const { reads = () => true } = options;
  const read = Object.entries(contract.features).filter(([, feature]) => reads(feature));
  return deriveFrames(alignedFrames(reader, contract, options), {
    ...contract,
    features: Object.fromEntries(read),
  });
}

async function* alignedFrames(
  reader: EpisodeReader,
  contract: Contract,
  { decodesPictures = true, wantsPicture, reads = () => true, within, labels, ...options }: FramesOptions,
): AsyncGenerator<Frame, FramesReport> {
  const transforms = await planTransforms(reader, contract);
  const plans = [...(await planStreams(reader, contract)), ...transforms.plans];
  const range = tickRange(plans, { file: reader.file, rateHz: contract.samples.tickRateHz });
  const features = planFeatures(contract, {
    plans,
    chains: transforms.chains,
    file: reader.file,
    decodesPictures,
    wantsPicture,
  });
  const lagNanos = clockLagNanos(plans);
  const onTickClock = ({ startTime, endTime }: TimeRange): TimeRange => ({
    startTime: startTime - lagNanos,
    endTime: endTime - lagNanos,
  });
  const stretch = within && onTickClock(within);
  const topics = new Set(plans.map(({ stream }) => stream.topic));
  const lateMessages = new Map<string, number>();
  const missingAtStart = new Map<string, number>();
  const unusable = new Map<string, { unbegun: number; broken: number }>();
  const ticks = (counting: Pick<AlignOptions, 'onLate' | 'onUnusable'> = {}) =>
    chosenTicks(alignStreams(reader.messages({ topics }), plans, { ...options, ...counting, range }), {
      features,
      within: stretch,
    });
  const goal = labels?.marks.findLast(
    ({ label: { name, endTime } }) =>
      name === 'goal' && (!within || (endTime >= within.startTime && endTime < within.endTime)),
  )?.label;
  const looksAhead = features.some(({ isGoal, feature }) => isGoal || feature.kind === 'outcome');
  const survey = looksAhead ? await surveyTicks(ticks(), goal && goal.endTime - lagNanos) : undefined;
  const end: EpisodeEnd = {
    outcome: labels?.outcome?.label.value,
    frames: survey?.last ? survey.last.index - survey.first!.index + 1 : 0,
  };

  const wanted = stretch ? ticksWithin(range, stretch) : { from: 0, to: range.count };
  let [first, last, index] = [wanted.to, -1, 0];
  const inFlight: Promise<Frame>[] = [];
  const walk = trimmed(
    ticks({
      onLate: ({ name }) => increment(lateMessages, name),
      onUnusable: ({ name }, { time, reason }) => {
        const isOutside =
          stretch && time !== undefined && (time < stretch.startTime || time >= stretch.endTime);
        if (reason === 'empty' || isOutside) return;
        const counts = unusable.get(name) ?? { unbegun: 0, broken: 0 };
        counts[reason]++;
        unusable.set(name, counts);
      },
    }),
    {
      rateHz: range.rateHz,
      again: () => ticks(),
      onTrimmedStart: ({ choices }) => {
        for (const [i, { key, required }] of features.entries()) {
          if (required && !choices[i]!.valid) increment(missingAtStart, key);
        }
      },
    },
  );
  try {
    for await (const tick of walk) {
      if (last < 0) first = tick.index;
      last = tick.index;
      const frame = makeFrame(tick, { index: index++, features, reads, goal: survey?.goal, end });
      frame.catch(() => {}); // reported where it is awaited, or not at all when the caller has left
      inFlight.push(frame);
      if (inFlight.length >= FRAMES_IN_FLIGHT) yield await inFlight.shift()!;
    }
    for (const frame of inFlight) yield await frame;
  } finally {
    await Promise.all(features.map((feature) => feature.close?.()));
  }
  return {
    frames: index,
    ticks: wanted.to - wanted.from,
    trimmedStart: first - wanted.from,
    trimmedEnd: last < 0 ? 0 : wanted.to - 1 - last,
    missingAtStart,
    lateMessages,
    unusablePictures: unusable,
    clocks: new Map(plans.flatMap(({ name, clock }) => (clock ? [[name, clock]] : []))),
    recordingTicks: range.count,
    ticksIn(stretch) {
      const { from, to } = ticksWithin(range, onTickClock(stretch));
      return to - from;
    },
  };
}

function increment(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

export interface FrameMaking {
  readonly index: number;
  readonly features: readonly FeaturePlan[];
  readonly goal: ChosenTick | undefined;
  readonly end: EpisodeEnd;
  /** @default all */
  readonly reads?: NonNullable<FramesOptions['reads']>;
}

/** Reads what was chosen at a tick. */
export async function makeFrame(
  { time, choices }: ChosenTick,
  { index, features, goal, end, reads = () => true }: FrameMaking,
): Promise<Frame> {
  const reading = features.flatMap((plan, i): [string, FrameValue | Promise<FrameValue>][] => {
    const { key, feature } = plan;
    if (!reads(feature)) return [];
    if (feature.kind === 'outcome') return [[key, outcomeValue(feature, index, end)]];
    const choice = plan.isGoal ? seenFrom(time, goal!, i) : choices[i]!;
    return [[key, plan.read(choice, index)]];
  });
  // Of several that fail the first speaks for all.
  for (const [, value] of reading) if (value instanceof Promise) value.catch(() => {});
  const values = new Map<string, FrameValue>();
  for (const [key, value] of reading) values.set(key, value instanceof Promise ? await value : value);
  return { index, tickTime: time, values };
}

/** What a feature takes at the goal, as old as it is at another tick. */
function seenFrom(time: bigint, goal: ChosenTick, feature: number): Choice<Sample> {
  const choice = goal.choices[feature]!;
  const { ageNanos } = choice;
  return { ...choice, ageNanos: ageNanos === undefined ? undefined : ageNanos - (goal.time - time) };
}
