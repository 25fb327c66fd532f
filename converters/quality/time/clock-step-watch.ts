import { nanosToSecs } from '../../../schemas/time.ts';

/** A step shows in the second after it. */
const SPAN_SECS = 1;
/** Looked for this often; finer would only cost. */
const LOOK_SECS = 0.1;
const SMALLEST_SECS = 0.02;
const MADS = 8;
/** Points per second that are kept; a faster stream is thinned. */
const MOST_POINTS = 100;
const FEWEST_POINTS = 5;

interface Point {
  readonly logTime: bigint;
  readonly stamp: bigint;
  /** Receipt minus stamp, seconds since the first. */
  readonly offset: number;
}

interface Step {
  readonly millis: number;
  readonly window: { readonly startTime: bigint; readonly endTime: bigint } | undefined;
}

/** Looks for the moment at which a sensor's clock was set, in a window of two seconds. */
export class ClockStepWatch {
  readonly #rateHz: number | undefined;
  #points: Point[] = [];
  #origin: bigint | undefined;
  #nextLook = 0n;
  #stride = 1;
  messages = 0;
  largest: Step = { millis: 0, window: undefined };

  constructor(rateHz: number | undefined) {
    this.#rateHz = rateHz;
    if (rateHz) this.#stride = Math.max(1, Math.ceil(rateHz / MOST_POINTS));
  }

  add(stamp: bigint, logTime: bigint): void {
    this.#origin ??= logTime - stamp;
    if (this.messages++ % this.#stride !== 0) return;
    this.#points.push({ logTime, stamp, offset: nanosToSecs(logTime - stamp - this.#origin) });
    if (logTime < this.#nextLook) return;
    this.#nextLook = logTime + BigInt(LOOK_SECS * 1e9);
    const from = logTime - BigInt(2 * SPAN_SECS * 1e9);
    this.#points = this.#points.filter((point) => point.logTime >= from);
    this.#look(logTime);
  }

  #look(now: bigint): void {
    const middle = now - BigInt(SPAN_SECS * 1e9);
    const split = this.#points.findIndex(({ logTime }) => logTime >= middle);
    const [before, after] = [this.#points.slice(0, split), this.#points.slice(split)];
    if (before.length < FEWEST_POINTS || after.length < FEWEST_POINTS) return;
    const offsetBefore = median(before.map(({ offset }) => offset));
    const offsetAfter = median(after.map(({ offset }) => offset));
    const step = Math.abs(offsetAfter - offsetBefore);
    if (step * 1000 <= this.largest.millis) return;
    const spread = Math.max(deviation(before, offsetBefore), deviation(after, offsetAfter));
    if (step <= Math.max(SMALLEST_SECS, MADS * spread) || !this.#isStamps()) return;
    const place = this.#largestJump();
    this.largest = { millis: step * 1000, window: { startTime: place, endTime: place + 1n } };
  }

  /** Whether the stamps depart more from an even spacing than the receipts do: no hold-up of the transport. */
  #isStamps(): boolean {
    const [first, last] = [this.#points[0]!, this.#points.at(-1)!];
    const count = this.#points.length - 1;
    const received = nanosToSecs(last.logTime - first.logTime);
    const stamped = nanosToSecs(last.stamp - first.stamp);
    const intervals = this.#points
      .slice(1)
      .map((point, i) => nanosToSecs(point.logTime - this.#points[i]!.logTime));
    const period = this.#rateHz ? this.#stride / this.#rateHz : median(intervals);
    return Math.abs(stamped - count * period) > Math.abs(received - count * period);
  }

  #largestJump(): bigint {
    let [largest, place] = [-1, this.#points[0]!.logTime];
    for (let i = 1; i < this.#points.length; i++) {
      const jump = Math.abs(this.#points[i]!.offset - this.#points[i - 1]!.offset);
      if (jump > largest) [largest, place] = [jump, this.#points[i]!.logTime];
    }
    return place;
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

function deviation(points: readonly Point[], middle: number): number {
  return median(points.map(({ offset }) => Math.abs(offset - middle)));
}
