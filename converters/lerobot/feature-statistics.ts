import type { ColumnNumbers } from '../frame-columns.ts';
import { Statistics } from '../statistics.ts';

/** Statistics as LeRobot names them; each an array nested as the feature's shape, `count` of one number. */
export type StatisticsTable = Readonly<Record<StatisticName, Float64Array>> & { readonly count: number };
export type StatisticName = (typeof STATISTIC_NAMES)[number];

/** The quantiles among the names below. */
export const QUANTILES = [0.01, 0.1, 0.5, 0.9, 0.99] as const;
export const STATISTIC_NAMES = ['min', 'max', 'mean', 'std', 'q01', 'q10', 'q50', 'q90', 'q99'] as const;

/** Statistics of one feature, over the episode that is being written and over the whole dataset. */
export interface FeatureSummary {
  /** Of each statistic. */
  readonly shape: readonly number[];
  readonly dataset: { table(): StatisticsTable };
  /** Ends an episode. @returns its statistics; NaN where it had no value. */
  endEpisode(episode?: CountedEpisode): StatisticsTable;
}

export interface CountedEpisode {
  /** Whether it counts for the dataset: statistics of what is tested on would leak into training. @default true */
  readonly isTraining?: boolean;
}

export interface CountedRows extends CountedEpisode {
  readonly rows: number;
  /** 1 for each row that counts. @default all do */
  readonly valid: Uint8Array | undefined;
}

/** Statistics of a feature of numbers. */
export class FeatureStatistics implements FeatureSummary {
  readonly shape: readonly number[];
  readonly dataset: Accumulator;
  #episode: Accumulator;

  constructor(shape: readonly number[]) {
    this.shape = shape;
    this.dataset = new Accumulator(shape);
    this.#episode = new Accumulator(shape);
  }

  /** @param values rows of one frame, one after the other; not finite numbers are left out. */
  addFrame(values: ArrayLike<number>, { isTraining = true }: CountedEpisode = {}): void {
    if (isTraining) this.dataset.addFrame(values);
    this.#episode.addFrame(values);
  }

  /** Adds the rows of an episode. */
  addRows(column: ColumnNumbers, { rows, valid, ...episode }: CountedRows): void {
    const width = column.length / rows;
    for (let i = 0; i < rows; i++) {
      if (valid && !valid[i]) continue;
      this.addFrame(Float64Array.from(column.subarray(i * width, (i + 1) * width), Number), episode);
    }
  }

  endEpisode(): StatisticsTable {
    const table = this.#episode.table();
    this.#episode = new Accumulator(this.shape);
    return table;
  }
}

/** A megabyte for each column, of which there are dozens; beyond it quantiles are close instead of exact. */
const EXACT_VALUES = 1 << 17;

class Accumulator {
  readonly #statistics: Statistics;
  #frames = 0;

  constructor(shape: readonly number[]) {
    const elements = shape.reduce((product, n) => product * n, 1);
    this.#statistics = new Statistics(elements, { exactValues: EXACT_VALUES });
  }

  addFrame(values: ArrayLike<number>): void {
    this.#statistics.add(values);
    this.#frames++;
  }

  table(): StatisticsTable {
    const { min, max, mean, std } = this.#statistics.summary();
    const [q01, q10, q50, q90, q99] = QUANTILES.map((q) => this.#statistics.quantile(q));
    return {
      min,
      max,
      mean,
      std,
      q01: q01!,
      q10: q10!,
      q50: q50!,
      q90: q90!,
      q99: q99!,
      count: this.#frames,
    };
  }
}

/** The content of `meta/stats.json`: features of which each element was seen at least once, since JSON has no NaN. */
export function statisticsJson(features: ReadonlyMap<string, FeatureSummary>): object {
  const json: Record<string, object> = {};
  for (const [key, { shape, dataset }] of features) {
    const table = dataset.table();
    if (!table.mean.every(Number.isFinite)) continue;
    const entries = STATISTIC_NAMES.map((name) => [name, nested(table[name], shape)] as const);
    json[key] = { ...Object.fromEntries(entries), count: [table.count] };
  }
  return json;
}

export type Nested = number | readonly Nested[];

/** Cuts a flat array into arrays of a shape. */
export function nested(flat: Float64Array, shape: readonly number[]): Nested {
  const [, ...inner] = shape;
  if (inner.length === 0) return [...flat];
  const step = inner.reduce((product, n) => product * n, 1);
  return Array.from({ length: flat.length / step }, (_, i) =>
    nested(flat.subarray(i * step, (i + 1) * step), inner),
  );
}
