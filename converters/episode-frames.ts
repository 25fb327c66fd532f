import type { Contract } from '../schemas/contract.ts';
import type { EpisodeReader } from '../schemas/episode-reader.ts';
import type { Choice } from './align.ts';
import { type AlignedTick, type AlignOptions, alignStreams, type Sample } from './align-streams.ts';
import type { ClockReport } from './clock-survey.ts';
import { deriveFrames } from './derive.ts';
import { type FeaturePlan, planFeatures } from './feature-plan.ts';
import type { Frame, FrameValue } from './frame.ts';
import { planStreams } from './stream-plan.ts';
import { tickRange } from './tick-range.ts';
import { planTransforms } from './transform-plan.ts';

/** What became of an episode's ticks, known when its last frame was taken. */
export interface FramesReport {
  readonly frames: number;
  /** Ticks from the first message of the required streams to their last. */
  readonly ticks: number;
  /** Ticks left out before the first and after the last one that was complete. */
  readonly trimmedStart: number;
  readonly trimmedEnd: number;
  /** Why the start was trimmed: by required feature, the ticks before the first complete one that lack it. */
  readonly missingAtStart: ReadonlyMap<string, number>;
  /** Messages, by stream, that came too late for a tick which they could have served; see AlignOptions. */
  readonly lateMessages: ReadonlyMap<string, number>;
  /** By stream that is on its sensor's clock: what its stamps turned out to be worth. */
  readonly clocks: ReadonlyMap<string, ClockReport>;
}

export interface FramesOptions extends Omit<AlignOptions, 'onLate'> {
  /** Whether pictures are decoded; else all are black, which costs nothing. @default true */
  readonly decodesPictures?: boolean;
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
  return deriveFrames(alignedFrames(reader, contract, options), contract);
}

async function* alignedFrames(
  reader: EpisodeReader,
  contract: Contract,
  { decodesPictures = true, ...options }: FramesOptions,
): AsyncGenerator<Frame, FramesReport> {
  const transforms = await planTransforms(reader, contract);
  const plans = [...(await planStreams(reader, contract)), ...transforms.plans];
  const range = tickRange(plans, { file: reader.file, rateHz: contract.samples.tickRateHz });
  const features = planFeatures(contract, {
    plans,
    chains: transforms.chains,
    file: reader.file,
    decodesPictures,
  });
  const topics = new Set(plans.map(({ stream }) => stream.topic));
  const lateMessages = new Map<string, number>();
  const missingAtStart = new Map<string, number>();
  const ticks = (onLate?: AlignOptions['onLate']) =>
    chosenTicks(alignStreams(reader.messages({ topics }), plans, { ...options, range, onLate }), features);

  let [first, last, index] = [range.count, -1, 0];
  const inFlight: Promise<Frame>[] = [];
  const walk = trimmed(
    ticks(({ name }) => increment(lateMessages, name)),
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
  for await (const tick of walk) {
    if (last < 0) first = tick.index;
    last = tick.index;
    const frame = makeFrame(tick, { index: index++, features });
    frame.catch(() => {}); // reported where it is awaited, or not at all when the caller has left
    inFlight.push(frame);
    if (inFlight.length >= FRAMES_IN_FLIGHT) yield await inFlight.shift()!;
  }
  for (const frame of inFlight) yield await frame;
  return {
    frames: index,
    ticks: range.count,
    trimmedStart: first,
    trimmedEnd: last < 0 ? 0 : range.count - 1 - last,
    missingAtStart,
    lateMessages,
    clocks: new Map(plans.flatMap(({ name, clock }) => (clock ? [[name, clock]] : []))),
  };
}

function increment(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

interface ChosenTick extends Pick<AlignedTick, 'index' | 'time'> {
  /** In the order of the features. */
  readonly choices: readonly Choice<Sample>[];
  readonly complete: boolean;
}

async function* chosenTicks(
  ticks: AsyncGenerator<AlignedTick>,
  features: readonly FeaturePlan[],
): AsyncGenerator<ChosenTick> {
  for await (const tick of ticks) {
    const choices = features.map((feature) => feature.choose(tick));
    const complete = features.every(({ required }, i) => !required || choices[i]!.valid);
    yield { index: tick.index, time: tick.time, choices, complete };
  }
}

interface TrimOptions {
  readonly rateHz: number;
  readonly again: () => AsyncGenerator<ChosenTick>;
  readonly onTrimmedStart: (tick: ChosenTick) => void;
}

/**
 * Leaves out what lies before the first and after the last complete tick. Incomplete ticks are held back
 * until a complete one follows; when they last longer than a second, `again` walks the ticks once more to
 * find the last complete one, so that a stream that died early holds back no more than that second.
 */
async function* trimmed(
  ticks: AsyncGenerator<ChosenTick>,
  { rateHz, again, onTrimmedStart }: TrimOptions,
): AsyncGenerator<ChosenTick> {
  let began = false;
  let lastComplete: number | undefined;
  let held: ChosenTick[] = [];
  for await (const tick of ticks) {
    began ||= tick.complete;
    if (!began) {
      onTrimmedStart(tick);
      continue;
    }
    held.push(tick);
    if (!tick.complete && lastComplete === undefined) {
      if (held.length <= rateHz) continue;
      lastComplete = await lastCompleteTick(again());
    }
    if (lastComplete !== undefined && tick.index > lastComplete) return;
    yield* held;
    held = [];
  }
}

async function lastCompleteTick(ticks: AsyncGenerator<ChosenTick>): Promise<number> {
  let last = -1;
  for await (const { index, complete } of ticks) if (complete) last = index;
  return last;
}

async function makeFrame(
  { time, choices }: ChosenTick,
  { index, features }: { readonly index: number; readonly features: readonly FeaturePlan[] },
): Promise<Frame> {
  const reading = features.map((feature, i): [string, FrameValue | Promise<FrameValue>] => [
    feature.key,
    feature.read(choices[i]!),
  ]);
  const values = new Map<string, FrameValue>();
  for (const [key, value] of reading) values.set(key, value instanceof Promise ? await value : value);
  return { index, tickTime: time, values };
}
