import { QuantileSketch } from '../quantile-sketch.ts';
import type { ChannelValue } from './worst.ts';

/** Steps that an encoder makes when it wraps: radians, degrees, counts; to this share. */
const WRAPS = [2 * Math.PI, 360, 4096];
const WRAP_TOLERANCE = 0.02;
/** A jump is more than half of what the joint moved in all, and this many times its usual steps. */
const JUMP_SHARE = 0.5;
const JUMP_STEPS = 8;
const LEAST_JUMP = 0.05;
const MOST_JUMPS = 64;

interface Window {
  readonly startTime: bigint;
  readonly endTime: bigint;
}

/** The steps of one joint: how large they usually are, and the largest. */
export class StepTrack {
  readonly #sizes = new QuantileSketch();
  readonly #large: { readonly step: number; readonly window: Window }[] = [];
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  add(column: Float64Array, window: (first: number, last: number) => Window): void {
    for (const [i, value] of column.entries()) {
      this.#min = Math.min(this.#min, value);
      this.#max = Math.max(this.#max, value);
      if (i === 0) continue;
      const step = value - column[i - 1]!;
      this.#sizes.add(Math.abs(step));
      if (Math.abs(step) < LEAST_JUMP) continue;
      this.#large.push({ step, window: window(i - 1, i) });
      if (this.#large.length > 2 * MOST_JUMPS) this.#keepLargest();
    }
  }

  /** @param options.mayJump whether only an encoder's wraps count: fingers snap open and shut. */
  result({ mayJump }: { readonly mayJump: boolean }): ChannelValue {
    const usual = this.#sizes.quantile(0.95) ?? 0;
    const least = Math.max(JUMP_SHARE * (this.#max - this.#min), JUMP_STEPS * usual);
    this.#keepLargest();
    const jumps = this.#large.filter(({ step }) => (!mayJump && Math.abs(step) > least) || isWrap(step));
    const [first] = jumps;
    return {
      value: jumps.length,
      window: first?.window,
      evidence: { step: Number((first?.step ?? 0).toFixed(3)) },
    };
  }

  #keepLargest(): void {
    this.#large.sort((a, b) => Math.abs(b.step) - Math.abs(a.step)).splice(MOST_JUMPS);
  }
}

function isWrap(step: number): boolean {
  return WRAPS.some((wrap) => Math.abs(Math.abs(step) - wrap) < WRAP_TOLERANCE * wrap);
}
