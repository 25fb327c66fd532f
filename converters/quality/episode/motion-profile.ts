import type { JointSample } from '../joint-sample.ts';
import { median, medianDeviation, quantile, SIGMAS_PER_MAD } from '../robust.ts';

/** Positions are averaged over this long: noise goes, motion stays. */
export const BIN_SECS = 0.1;
const BIN_NANOS = BigInt(BIN_SECS * 1e9);
/** Slower than this share of its range in a second a joint rests (openpi's rule for DROID, with units). */
const REST_SHARE_PER_SEC = 0.005;
/** Of a joint that hardly moves in the whole episode, radians or metres: its noise must not count as motion. */
const SMALLEST_RANGE = 0.1;
/** Longer rests are idle; openpi drops runs of 7 frames at 15 Hz. */
export const IDLE_SECS = 0.47;

interface Bin {
  readonly sums: Float64Array;
  count: number;
}

/** How fast the joints of one stream moved, in steps of a tenth of a second of log time: a few bytes a step. */
export class MotionProfile {
  readonly #startTime: bigint;
  readonly #bins = new Map<number, Bin>();
  #names: readonly string[] | undefined;
  #first: readonly number[] | undefined;

  constructor(startTime: bigint) {
    this.#startTime = startTime;
  }

  add({ names, position, logTime }: JointSample): void {
    this.#names ??= names;
    if (position.length !== this.#names.length) return;
    this.#first ??= Array.from(position);
    const index = Number((logTime - this.#startTime) / BIN_NANOS);
    const bin = this.#bins.get(index) ?? { sums: new Float64Array(position.length), count: 0 };
    this.#bins.set(index, bin);
    for (let j = 0; j < position.length; j++) bin.sums[j]! += position[j]!;
    bin.count++;
  }

  /** Of the joints; empty before the first message. */
  get names(): readonly string[] {
    return this.#names ?? [];
  }

  /** First position of every joint; empty before the first message. */
  get start(): readonly number[] {
    return this.#first ?? [];
  }

  /** Mean position of every step that has one, in order. */
  path(): readonly (readonly number[])[] {
    return [...this.#bins]
      .sort(([a], [b]) => a - b)
      .map(([, { sums, count }]) => Array.from(sums, (sum) => sum / count));
  }

  /**
   * Speed of every step up to `endTime`: the joint's that moves most, in shares of its range per second.
   *
   * @param counts which joints count; all if not given.
   */
  speeds(endTime: bigint, counts: (joint: string) => boolean = () => true): Float64Array {
    const count = Math.max(0, Math.ceil(Number(endTime - this.#startTime) / Number(BIN_NANOS)));
    const joints = (this.#names ?? []).flatMap((name, j) => (counts(name) ? [j] : []));
    const ranges = joints.map((j) => this.#range(j));
    const speeds = new Float64Array(count);
    let last: { readonly index: number; readonly bin: Bin } | undefined;
    for (let index = 0; index < count; index++) {
      const bin = this.#bins.get(index);
      if (!bin) continue;
      if (last) {
        const secs = (index - last.index) * BIN_SECS;
        let speed = 0;
        for (const [i, j] of joints.entries()) {
          const way = Math.abs(bin.sums[j]! / bin.count - last.bin.sums[j]! / last.bin.count);
          speed = Math.max(speed, way / secs / ranges[i]!);
        }
        for (let i = last.index + 1; i <= index; i++) speeds[i] = speed;
      }
      last = { index, bin };
    }
    return speeds;
  }

  #range(joint: number): number {
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const { sums, count } of this.#bins.values()) {
      least = Math.min(least, sums[joint]! / count);
      most = Math.max(most, sums[joint]! / count);
    }
    return Math.max(most - least, SMALLEST_RANGE);
  }
}

/** A rest of every joint, in steps; half-open. */
export interface Rest {
  readonly from: number;
  readonly to: number;
}

/** Runs of steps at rest that are long enough to be idle. */
export function rests(speeds: Float64Array): readonly Rest[] {
  const found: Rest[] = [];
  let from: number | undefined;
  for (let i = 0; i <= speeds.length; i++) {
    const isAtRest = i < speeds.length && speeds[i]! < REST_SHARE_PER_SEC;
    if (isAtRest) from ??= i;
    else if (from !== undefined) {
      if ((i - from) * BIN_SECS >= IDLE_SECS) found.push({ from, to: i });
      from = undefined;
    }
  }
  return found;
}

/** The faster of all streams, step by step. */
export function fastest(profiles: readonly Float64Array[]): Float64Array {
  const length = Math.max(0, ...profiles.map((speeds) => speeds.length));
  return Float64Array.from({ length }, (_, i) => Math.max(...profiles.map((speeds) => speeds[i] ?? 0)));
}

/** How far a value lies from the middle of others, in robust standard deviations of at least `floor`. */
export function robustZ(value: number, others: readonly number[], floor: number): number {
  return (value - median(others)) / Math.max(SIGMAS_PER_MAD * medianDeviation(others), floor);
}

/** Quantile of the speeds above rest; 0 where nothing moves. */
export function movingSpeed(speeds: Float64Array, share: number): number {
  const moving = speeds.filter((speed) => speed >= REST_SHARE_PER_SEC);
  return moving.length > 0 ? quantile(moving, share) : 0;
}
