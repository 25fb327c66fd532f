import { Statistics } from '../statistics.ts';

/** The percentiles that the trainer can normalise by. */
const PERCENTILES = [1, 2, 5, 95, 98, 99] as const;
/** Beyond so many elements of a step, statistics for each would be larger than the data. */
const MAX_ELEMENTS = 512;

/** Statistics of one feature over all windows, as the trainer reads them: of each step, and of all steps together. */
export class StepStatistics {
  readonly #width: number;
  readonly #steps: readonly Statistics[];
  readonly #all: Statistics;

  /** @returns undefined for features that are maps. */
  static of(width: number, steps: number): StepStatistics | undefined {
    return width <= MAX_ELEMENTS ? new StepStatistics(width, steps) : undefined;
  }

  private constructor(width: number, steps: number) {
    const options = { exactValues: 1 << 16 };
    this.#width = width;
    this.#steps = Array.from({ length: steps }, () => new Statistics(width, options));
    this.#all = new Statistics(width, options);
  }

  /** Adds the steps of a window that count. @param rows [steps, width] */
  add(rows: ArrayLike<number>, counts: readonly boolean[]): void {
    for (const [step, statistics] of this.#steps.entries()) {
      if (!counts[step]) continue;
      const row = Array.from({ length: this.#width }, (_, i) => rows[step * this.#width + i]!);
      statistics.add(row);
      this.#all.add(row);
    }
  }

  /** Elements that were never seen are 0, as the trainer has no null. */
  json(): object {
    const numbers = (values: Float64Array) =>
      Array.from(values, (value) => (Number.isFinite(value) ? value : 0));
    const table = { count: this.#steps.map(({ rows }) => rows) } as Record<string, unknown>;
    for (const name of ['mean', 'std', 'min', 'max'] as const) {
      table[name] = numbers(this.#all.summary()[name]);
      table[`${name}_per_timestep`] = this.#steps.map((each) => numbers(each.summary()[name]));
    }
    for (const p of PERCENTILES) {
      table[`percentile_${p}`] = numbers(this.#all.quantile(p / 100));
      table[`percentile_${p}_per_timestep`] = this.#steps.map((each) => numbers(each.quantile(p / 100)));
    }
    return table;
  }
}
