/** Ratio of neighbouring bins: quantiles are right to one per cent. */
const RATIO = 1.02;
const SMALLEST = 1e-7;
const LARGEST = 1e5;
const BINS = Math.ceil(Math.log(LARGEST / SMALLEST) / Math.log(RATIO)) + 1;

/** Quantiles of positive numbers in constant memory: a histogram of their logarithms (Masson 2019, DDSketch). */
export class QuantileSketch {
  readonly #bins = new Uint32Array(BINS);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Zero and less count as the smallest number. */
  add(value: number): void {
    const bin = value <= SMALLEST ? 0 : Math.round(Math.log(value / SMALLEST) / Math.log(RATIO));
    this.#bins[Math.min(bin, BINS - 1)]!++;
    this.#count++;
  }

  /** Undefined without values. */
  quantile(share: number): number | undefined {
    let left = share * this.#count;
    for (const [value, count] of this.entries()) {
      left -= count;
      if (left <= 0) return value;
    }
    return undefined;
  }

  /** Values and how often they were met, ascending. */
  *entries(): Generator<readonly [value: number, count: number]> {
    for (let bin = 0; bin < BINS; bin++) {
      const count = this.#bins[bin]!;
      if (count > 0) yield [SMALLEST * RATIO ** bin, count];
    }
  }
}
