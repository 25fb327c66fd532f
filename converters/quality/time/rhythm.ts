import { nanosToSecs } from '../../../schemas/time.ts';
import type { Observation } from '../observation.ts';
import { QuantileSketch } from '../quantile-sketch.ts';
import type { CheckedStream, Subject } from '../subject.ts';

/** Gaps that are remembered one by one, the longest ones. */
const MOST_GAPS = 20;
/** Span that the rate of the moment is taken over, seconds. */
const RECENT_SECS = 2;
/** Without a contract a stream counts as periodic after so many intervals, when their quartiles are this close. */
const FEWEST_INTERVALS = 20;
const STEADY_SPREAD = 0.5;

/** A stretch without messages; log times of the messages around it. */
export interface Gap {
  readonly secs: number;
  readonly startTime: bigint;
  readonly endTime: bigint;
}

/** Streams that can be periodic: those with a rate, and all of a recording without a contract. */
export function mayBePeriodic(subject: Subject): (stream: CheckedStream) => boolean {
  return ({ contract }) => contract?.rateHz !== undefined || subject.contract === undefined;
}

const rhythms = new WeakMap<CheckedStream, Rhythm>();

/** The one rhythm of a stream, shared by all checks that judge it. */
export function rhythmOf(stream: CheckedStream): Rhythm {
  const known = rhythms.get(stream) ?? new Rhythm(stream);
  rhythms.set(stream, known);
  return known;
}

/** The intervals of one stream, by its sensor's clock where it has stamps; constant memory. */
export class Rhythm {
  readonly #contractPeriod: number | undefined;
  readonly #intervals = new QuantileSketch();
  readonly #spans = new QuantileSketch();
  /** Intervals that are neither shorter by stamps nor by receipt; none of messages that repeat a stamp. */
  readonly #longer = new QuantileSketch();
  readonly #gaps: Gap[] = [];
  readonly #recent: number[] = [];
  #recentSecs = 0;
  #last: Observation | undefined;
  firstLogTime: bigint | undefined;
  messages = 0;

  constructor(stream: CheckedStream) {
    const rateHz = stream.contract?.rateHz;
    this.#contractPeriod = rateHz === undefined ? undefined : 1 / rateHz;
  }

  /** Counts an observation once, however many checks show it. */
  add(observation: Observation): void {
    const last = this.#last;
    if (last === observation) return;
    const { sensorTime, logTime } = observation;
    this.#last = observation;
    this.messages++;
    this.firstLogTime ??= logTime;
    if (!last) return;
    const received = nanosToSecs(logTime - last.logTime);
    const sensed =
      sensorTime !== undefined && last.sensorTime !== undefined
        ? nanosToSecs(sensorTime - last.sensorTime)
        : received;
    if (sensed > 0) this.#intervals.add(sensed);
    if (sensed > 0 && received >= 0) this.#longer.add(Math.max(sensed, received));
    // A step of the sensor's clock stretches only the stamps, a hold-up of the transport only the receipt.
    const span = Math.min(sensed, received);
    if (span <= 0) return;
    this.#spans.add(span);
    this.#remember({ secs: span, startTime: last.logTime, endTime: logTime });
    this.#addRecent(sensed > 0 ? sensed : received);
  }

  get lastLogTime(): bigint | undefined {
    return this.#last?.logTime;
  }

  /** Seconds; undefined for a stream that is not periodic, or not yet. */
  get period(): number | undefined {
    if (this.#contractPeriod !== undefined) return this.#contractPeriod;
    if (this.#intervals.count < FEWEST_INTERVALS) return undefined;
    const [low, median, high] = [0.25, 0.5, 0.75].map((share) => this.#intervals.quantile(share)!);
    return (high! - low!) / median! < STEADY_SPREAD ? median : undefined;
  }

  /** Of all intervals; of the last two seconds while `isLive`. */
  medianInterval({ isLive }: { readonly isLive: boolean }): number | undefined {
    if (!isLive) return this.#intervals.quantile(0.5);
    return this.#recent.length < 5
      ? undefined
      : this.#recent.toSorted((a, b) => a - b)[this.#recent.length >> 1];
  }

  /** Quantile of the distance between intervals and a period, seconds. */
  jitter(period: number, share: number): number {
    const distances = [...this.#intervals.entries()]
      .map(([value, count]) => ({ distance: Math.abs(value - period), count }))
      .sort((a, b) => a.distance - b.distance);
    let left = share * this.#intervals.count;
    for (const { distance, count } of distances) {
      left -= count;
      if (left <= 0) return distance;
    }
    return 0;
  }

  /**
   * Messages that intervals of more than one and a half periods have room for, but for some of {@link gaps}. What a
   * hiccup delayed comes bunched, within half a period of the message before: it was late, not lost.
   */
  missing(period: number, except: readonly Gap[]): number {
    let missing = -except.reduce((sum, { secs }) => sum + Math.round(secs / period) - 1, 0);
    for (const [value, count] of this.#spans.entries()) {
      if (value > 1.5 * period) missing += (Math.round(value / period) - 1) * count;
    }
    for (const [value, count] of this.#longer.entries()) if (value < 0.5 * period) missing -= count;
    return Math.max(0, missing);
  }

  /** Share of intervals that are longer than this, seconds. */
  shareAbove(secs: number): number {
    let above = 0;
    for (const [value, count] of this.#spans.entries()) if (value > secs) above += count;
    return this.#spans.count > 0 ? above / this.#spans.count : 0;
  }

  /** The longest first. */
  gaps(): readonly Gap[] {
    return this.#gaps;
  }

  #remember(gap: Gap): void {
    if (this.#gaps.length === MOST_GAPS && gap.secs <= this.#gaps.at(-1)!.secs) return;
    const at = this.#gaps.findIndex(({ secs }) => secs < gap.secs);
    this.#gaps.splice(at < 0 ? this.#gaps.length : at, 0, gap);
    if (this.#gaps.length > MOST_GAPS) this.#gaps.pop();
  }

  #addRecent(secs: number): void {
    this.#recent.push(secs);
    this.#recentSecs += secs;
    while (this.#recentSecs > RECENT_SECS && this.#recent.length > 1)
      this.#recentSecs -= this.#recent.shift()!;
  }
}
