/**
 * Running statistics of one feature: each row holds one value per element, elements are independent.
 * Rows that are masked are simply not added. Non-finite numbers (a driver's NaN for "not measured") are
 * left out of their element.
 *
 * Quantiles are exact up to `exactValues` stored numbers; beyond that they come from a histogram on a
 * power-of-two grid and lie within 1/2048 of the element's range of the exact ones; of more than 2048 elements the
 * grid is so much coarser that their histograms take 64 MiB together.
 */
export class Statistics {
  readonly #elements: readonly ElementStatistics[];
  #rows = 0;

  constructor(elements: number, { exactValues = 1 << 20 }: StatisticsOptions = {}) {
    const exactRows = Math.max(1, Math.floor(exactValues / elements));
    const bins = binsOf(elements);
    this.#elements = Array.from({ length: elements }, () => new ElementStatistics({ exactRows, bins }));
  }

  /** Rows added so far. */
  get rows(): number {
    return this.#rows;
  }

  /** Adds one row, or several that lie one after the other. */
  add(values: ArrayLike<number>): void {
    const width = this.#elements.length;
    if (values.length % width !== 0) {
      throw new RangeError(`${values.length} values are not whole rows of ${width} elements`);
    }
    for (let i = 0; i < values.length; i++) this.#elements[i % width]!.add(values[i]!);
    this.#rows += values.length / width;
  }

  /** Per element; NaN where no finite number was added. */
  summary(): StatisticsSummary {
    const each = (of: (element: ElementStatistics) => number) => Float64Array.from(this.#elements, of);
    return {
      rows: this.#rows,
      min: each(({ count, min }) => (count > 0 ? min : Number.NaN)),
      max: each(({ count, max }) => (count > 0 ? max : Number.NaN)),
      mean: each(({ count, mean }) => (count > 0 ? mean : Number.NaN)),
      std: each(({ count, squares }) => Math.sqrt(squares / count)),
    };
  }

  /** The quantile of each element by linear interpolation, as `numpy.quantile`; 0 ≤ q ≤ 1. */
  quantile(q: number): Float64Array {
    return Float64Array.from(this.#elements, (element) => element.quantile(q));
  }
}

export interface StatisticsOptions {
  /** Numbers that are kept for exact quantiles, over all elements; 8 bytes each. @default 1 Mi */
  readonly exactValues?: number;
}

export interface StatisticsSummary {
  readonly rows: number;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly mean: Float64Array;
  /** Of the population: divided by n. */
  readonly std: Float64Array;
}

class ElementStatistics {
  count = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  mean = 0;
  /** Sum of squared distances from the mean (Welford 1962: stable where a sum of squares is not). */
  squares = 0;
  #exact: Float64Array | undefined;
  #histogram: Histogram | undefined;
  readonly #exactRows: number;
  readonly #bins: number;

  constructor({ exactRows, bins }: { readonly exactRows: number; readonly bins: number }) {
    this.#exactRows = exactRows;
    this.#bins = bins;
    this.#exact = new Float64Array(Math.min(64, exactRows));
  }

  add(value: number): void {
    if (!Number.isFinite(value)) return;
    if (this.#exact) this.#store(value);
    this.count++;
    const distance = value - this.mean;
    this.mean += distance / this.count;
    this.squares += distance * (value - this.mean);
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    this.#histogram?.add(value, this);
  }

  quantile(q: number): number {
    if (this.count === 0) return Number.NaN;
    const rank = q * (this.count - 1);
    const low = Math.floor(rank);
    const atRank = this.#atRank();
    const lowValue = atRank(low);
    return lowValue + (rank - low) * (atRank(Math.ceil(rank)) - lowValue);
  }

  #store(value: number): void {
    let exact = this.#exact!;
    if (this.count === this.#exactRows) {
      this.#histogram = new Histogram(exact.subarray(0, this.count), { bins: this.#bins, range: this });
      this.#exact = undefined;
      return;
    }
    if (this.count === exact.length) {
      exact = new Float64Array(Math.min(exact.length * 2, this.#exactRows));
      exact.set(this.#exact!);
      this.#exact = exact;
    }
    exact[this.count] = value;
  }

  /** The function from a rank, counted from 0, to the value of that rank. */
  #atRank(): (rank: number) => number {
    if (this.#histogram) {
      const { min, max } = this;
      const histogram = this.#histogram;
      return (rank) => Math.min(max, Math.max(min, histogram.atRank(rank)));
    }
    const sorted = this.#exact!.slice(0, this.count).sort();
    return (rank) => sorted[rank]!;
  }
}

const MOST_BINS = 4096;
const ALL_BINS = 1 << 23;

/** Bins of each element's histogram: a power of two, 8 bytes each. */
function binsOf(elements: number): number {
  return Math.max(16, Math.min(MOST_BINS, 2 ** Math.floor(Math.log2(ALL_BINS / elements))));
}

interface Range {
  readonly min: number;
  readonly max: number;
}

/**
 * Counts on bins whose width is a power of two and whose edges are its multiples, so that two bins join
 * exactly into one when the range outgrows the table. At least half the table lies inside the range.
 */
class Histogram {
  #counts: Float64Array;
  #width: number;
  /** Grid index of the first bin. */
  #base = 0;

  constructor(values: Float64Array, { bins, range }: { readonly bins: number; readonly range: Range }) {
    this.#counts = new Float64Array(bins);
    const spread = range.max - range.min;
    // With one value only, a bin far below the value's own precision; the first other value widens it.
    const width = spread > 0 ? spread / bins : Math.max(Math.abs(range.max) * 2 ** -40, 2 ** -1000);
    this.#width = 2 ** Math.floor(Math.log2(width));
    this.#fit(range);
    for (const value of values) this.add(value, range);
  }

  /** @param range of all values, this one included. */
  add(value: number, range: Range): void {
    const bin = Math.floor(value / this.#width) - this.#base;
    if (bin >= 0 && bin < this.#counts.length) {
      this.#counts[bin]!++;
      return;
    }
    this.#fit(range);
    this.#counts[Math.floor(value / this.#width) - this.#base]!++;
  }

  /** The value of a rank, taken as lying evenly within its bin. */
  atRank(rank: number): number {
    let before = 0;
    for (let bin = 0; bin < this.#counts.length; bin++) {
      const count = this.#counts[bin]!;
      if (rank < before + count) return (this.#base + bin + (rank - before + 0.5) / count) * this.#width;
      before += count;
    }
    throw new RangeError(`rank ${rank} is not below the count ${before}`);
  }

  /** Widens the bins until the range fits, and centres it in the table. */
  #fit({ min, max }: Range): void {
    const [oldWidth, oldBase, oldCounts] = [this.#width, this.#base, this.#counts];
    const first = () => Math.floor(min / this.#width);
    const last = () => Math.floor(max / this.#width);
    const bins = oldCounts.length;
    while (last() - first() >= bins) this.#width *= 2;
    this.#base = first() - Math.floor((bins - 1 - (last() - first())) / 2);
    this.#counts = new Float64Array(bins);
    const join = this.#width / oldWidth;
    for (let bin = 0; bin < bins; bin++) {
      const count = oldCounts[bin]!;
      if (count > 0) this.#counts[Math.floor((oldBase + bin) / join) - this.#base]! += count;
    }
  }
}
