import type { Observation } from '../observation.ts';

/** A stretch of a stream without gaps: numbers at instants, column by column. */
export interface Block {
  /** Log time of the first sample. */
  readonly startTime: bigint;
  /** On the sensor's clock where there is one, seconds since the first sample. */
  readonly secs: Float64Array;
  /** Median interval of the samples. */
  readonly periodSecs: number;
  readonly columns: readonly Float64Array[];
  /** Log times of samples, half-open. */
  window(first: number, last: number): { readonly startTime: bigint; readonly endTime: bigint };
}

export interface BlockOptions {
  /** A block is used when it is this long, seconds. @default 10 */
  readonly maxSecs?: number;
  /** Shorter ones, between two gaps, are left out, seconds. @default 0.5 */
  readonly minSecs?: number;
  readonly use: (block: Block) => void;
}

/** Longer than this many intervals is a gap: nothing is ever interpolated across. */
const GAP_INTERVALS = 5;
const LEAST_GAP_SECS = 0.1;
/** Typical interval follows the newest by this share: outliers hardly move it. */
const FOLLOW = 0.05;

/** Gathers samples into blocks, so that a check may look at a stretch of time at once in bounded memory. */
export class Blocks {
  readonly #options: Required<BlockOptions>;
  #startTime = 0n;
  #startSensorTime = 0n;
  #secs: number[] = [];
  #logSecs: number[] = [];
  #columns: number[][] = [];
  #typical: number | undefined;

  constructor({ maxSecs = 10, minSecs = 0.5, use }: BlockOptions) {
    this.#options = { maxSecs, minSecs, use };
  }

  /** Samples with a value that is no number are left out, and so are those that step backwards. */
  add(
    { logTime, sensorTime = logTime }: Pick<Observation, 'logTime' | 'sensorTime'>,
    values: Float64Array,
  ): void {
    if (values.length === 0 || !values.every(Number.isFinite)) return;
    if (this.#secs.length > 0) {
      const interval = Number(sensorTime - this.#startSensorTime) / 1e9 - this.#secs.at(-1)!;
      const isOther = values.length !== this.#columns.length;
      if (isOther || interval < -LEAST_GAP_SECS || this.#isGap(interval)) this.flush();
      else if (interval <= 0) return;
      else this.#typical = follow(this.#typical, interval);
    }
    if (this.#secs.length === 0) {
      [this.#startTime, this.#startSensorTime] = [logTime, sensorTime];
      this.#columns = Array.from(values, () => []);
    }
    this.#secs.push(Number(sensorTime - this.#startSensorTime) / 1e9);
    this.#logSecs.push(Number(logTime - this.#startTime) / 1e9);
    for (const [i, column] of this.#columns.entries()) column.push(values[i]!);
    if (this.#secs.at(-1)! < this.#options.maxSecs) return;
    this.flush();
    this.add({ logTime, sensorTime }, values); // so that no step lies between two blocks
  }

  /** Uses what has gathered since the last block. */
  flush(): void {
    const [secs, logSecs, columns, startTime] = [this.#secs, this.#logSecs, this.#columns, this.#startTime];
    [this.#secs, this.#logSecs, this.#columns] = [[], [], []];
    if (secs.length < 5 || secs.at(-1)! < this.#options.minSecs) return;
    const instant = (i: number) => startTime + BigInt(Math.round(logSecs[i]! * 1e9));
    this.#options.use({
      startTime,
      secs: Float64Array.from(secs),
      periodSecs: medianInterval(secs),
      columns: columns.map((column) => Float64Array.from(column)),
      window: (first, last) => ({ startTime: instant(first), endTime: instant(last) + 1n }),
    });
  }

  #isGap(interval: number): boolean {
    return this.#typical !== undefined && interval > Math.max(LEAST_GAP_SECS, GAP_INTERVALS * this.#typical);
  }
}

function follow(typical: number | undefined, interval: number): number {
  if (typical === undefined) return interval;
  return typical * (interval > typical ? 1 + FOLLOW : 1 - FOLLOW);
}

function medianInterval(secs: readonly number[]): number {
  const intervals = secs.slice(1).map((time, i) => time - secs[i]!);
  return intervals.sort((a, b) => a - b)[intervals.length >> 1]!;
}

/** A column at even instants, `periodSecs` apart from the first sample on, on the lines between samples. */
export function evenly(secs: Float64Array, values: Float64Array, periodSecs: number): Float64Array {
  const count = Math.floor(secs.at(-1)! / periodSecs + 1e-9) + 1;
  let at = 0;
  return Float64Array.from({ length: count }, (_, i) => {
    const time = i * periodSecs;
    while (at < secs.length - 2 && secs[at + 1]! < time) at++;
    const share = (time - secs[at]!) / (secs[at + 1]! - secs[at]!);
    return values[at]! + (values[at + 1]! - values[at]!) * share;
  });
}

/** Runs of true, `least` long at least: first and last index, both included. */
export function runs(mask: (i: number) => boolean, length: number, least = 1): (readonly [number, number])[] {
  const found: [number, number][] = [];
  for (let i = 0; i < length; i++) {
    if (!mask(i)) continue;
    const first = i;
    while (i + 1 < length && mask(i + 1)) i++;
    if (i - first + 1 >= least) found.push([first, i]);
  }
  return found;
}
