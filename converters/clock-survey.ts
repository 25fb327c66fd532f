import type { EpisodeReader } from '../schemas/episode-reader.ts';
import type { Message } from '../schemas/message.ts';
import { nanosToSecs } from '../schemas/time.ts';
import { type ClockSegment, type Received, StepFinder } from './clock-steps.ts';
import { LowerHull } from './lower-hull.ts';

/** A stream whose values belong to the instant in their header. */
export interface StampedStream {
  readonly topic: string;
  /** Header stamp of a message of the channel; by channel id. */
  readonly stamps: ReadonlyMap<number, (message: Message) => bigint>;
  /** Whether its clock is another one than the recorder's. */
  readonly isForeign: boolean;
}

/** What the stamps of a stream turned out to be worth. */
export interface StreamClock {
  /** The instant of a message; undefined while a step of the sensor's clock makes its stamp wrong. */
  readonly timeOf: (message: Message) => bigint | undefined;
  /** First and last message received with a stamp that counts. */
  readonly first: Received | undefined;
  readonly last: Received | undefined;
  readonly report: ClockReport;
}

export interface ClockReport {
  readonly messages: number;
  /** Of the stream's clock, where it is not the recorder's; see {@link ClockOffset}. */
  readonly offset: ClockOffset | undefined;
  readonly steps: readonly ClockStep[];
  /** False where stamps jump so often that no steps can be told: nothing is masked then. */
  readonly isSteady: boolean;
}

/**
 * The recorder's clock minus the stream's, at the stream's first stamp and as it drifts on. It holds the
 * shortest latency of the transport, which stamps alone cannot tell from an offset.
 */
export interface ClockOffset {
  readonly offsetSecs: number;
  /** 0 where the messages span less than 20 s, too little to tell. */
  readonly driftPpm: number;
}

/** A stretch of receive time, half-open, whose stamps are off. */
export interface ClockStep {
  readonly startTime: bigint;
  readonly endTime: bigint;
  /** How far the stamps are ahead of what they should be. */
  readonly stepSecs: number;
  readonly messages: number;
}

/** Below this a drift is lost in the jitter of the fastest messages. */
const SHORTEST_DRIFT_SECS = 20;

/**
 * Reads all messages of some streams once, their stamps alone, and finds out which stamps can be trusted.
 * Memory does not grow with the episode.
 */
export async function surveyClocks(
  reader: EpisodeReader,
  streams: readonly StampedStream[],
): Promise<ReadonlyMap<string, StreamClock>> {
  const surveys = new Map<string, Map<number, ChannelSurvey>>(streams.map(({ topic }) => [topic, new Map()]));
  const byTopic = new Map(streams.map((stream) => [stream.topic, stream]));
  if (streams.length > 0) {
    for await (const message of reader.messages({ topics: byTopic.keys() })) {
      const { id, topic } = message.channel;
      const { stamps, isForeign } = byTopic.get(topic)!;
      const received = { time: stamps.get(id)!(message), logTime: message.logTime };
      const channels = surveys.get(topic)!;
      const channel = channels.get(id) ?? new ChannelSurvey(received, { isForeign });
      channels.set(id, channel);
      channel.add(received);
    }
  }
  return new Map(streams.map((stream) => [stream.topic, streamClock(stream, surveys.get(stream.topic)!)]));
}

function streamClock({ stamps }: StampedStream, surveys: ReadonlyMap<number, ChannelSurvey>): StreamClock {
  const channels = new Map([...surveys].map(([id, survey]) => [id, survey.finish()]));
  const clocks = [...channels.values()];
  const received = clocks.flatMap(({ first, last }) => [first, last]).sort(byReceipt);
  return {
    timeOf: (message) =>
      channels.get(message.channel.id)!.timeOf(stamps.get(message.channel.id)!(message), message.logTime),
    first: received[0],
    last: received.at(-1),
    report: {
      messages: clocks.reduce((sum, { messages }) => sum + messages, 0),
      offset: clocks[0]?.offset,
      steps: clocks.flatMap(({ steps }) => steps),
      isSteady: clocks.every(({ isSteady }) => isSteady),
    },
  };
}

function byReceipt(a: Received, b: Received): number {
  return Number(a.logTime - b.logTime);
}

/** One publisher's clock. */
class ChannelSurvey {
  readonly #origin: Received;
  readonly #finder: StepFinder;
  /** Of each segment; kept only for a foreign clock. */
  readonly #hulls = new Map<ClockSegment, LowerHull>();
  readonly #isForeign: boolean;

  constructor(first: Received, { isForeign }: Pick<StampedStream, 'isForeign'>) {
    this.#origin = first;
    this.#finder = new StepFinder(first);
    this.#isForeign = isForeign;
  }

  add(received: Received): void {
    const segment = this.#finder.add(received);
    if (!this.#isForeign) return;
    const hull = this.#hulls.get(segment) ?? new LowerHull();
    this.#hulls.set(segment, hull);
    const { time, logTime } = received;
    const offsetNanos = logTime - time - this.#originOffset();
    hull.add(nanosToSecs(time - this.#origin.time), nanosToSecs(offsetNanos));
  }

  finish() {
    const { segments, stepped } = this.#finder.finish();
    const trusted = segments.filter((segment) => !stepped.has(segment));
    const { offset, correct } = this.#correction(trusted);
    const steps = segments.flatMap((segment, i): ClockStep[] => {
      if (!stepped.has(segment)) return [];
      const { first, last, messages, levelNanos } = segment;
      const endTime = segments[i + 1]?.first.logTime ?? last.logTime + 1n;
      const stepSecs = (trusted[0]!.levelNanos - levelNanos) / 1e9;
      return [{ startTime: first.logTime, endTime, stepSecs, messages }];
    });
    const corrected = ({ time, logTime }: Received) => ({ time: correct(time), logTime });
    return {
      first: corrected(trusted[0]!.first),
      last: corrected(trusted.at(-1)!.last),
      messages: segments.reduce((sum, each) => sum + each.messages, 0),
      offset,
      steps,
      isSteady: this.#finder.isSteady,
      timeOf: (time: bigint, logTime: bigint): bigint | undefined =>
        steps.some(({ startTime, endTime }) => logTime >= startTime && logTime < endTime)
          ? undefined
          : correct(time),
    };
  }

  #correction(trusted: readonly ClockSegment[]): {
    readonly offset: ClockOffset | undefined;
    readonly correct: (time: bigint) => bigint;
  } {
    if (!this.#isForeign) return { offset: undefined, correct: (time) => time };
    const hull = new LowerHull();
    for (const segment of trusted) hull.merge(this.#hulls.get(segment)!);
    const { intercept, slope } = hull.span() < SHORTEST_DRIFT_SECS ? hull.floor() : hull.line();
    const [origin, base] = [this.#origin.time, this.#originOffset()];
    return {
      offset: { offsetSecs: nanosToSecs(base) + intercept, driftPpm: slope * 1e6 },
      correct: (time) => time + base + BigInt(Math.round(intercept * 1e9 + slope * Number(time - origin))),
    };
  }

  #originOffset(): bigint {
    return this.#origin.logTime - this.#origin.time;
  }
}
