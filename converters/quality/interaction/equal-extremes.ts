/** Samples that make a row; more for a sensor whose coarse steps repeat anyway. */
const ROW = 3;
const COARSE_ROW = 10;
/** Share of samples equal to the one before, above which a sensor counts as coarse. */
const COARSE_SHARE = 0.05;

interface Row {
  readonly value: number;
  readonly length: number;
  readonly startTime: bigint;
  readonly endTime: bigint;
}

/** Rows of equal samples at the largest or smallest value of an axis: a sensor at its end. */
export class EqualExtremes {
  #samples = 0;
  #equal = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #row: Row | undefined;
  /** Rows at each end; of a smaller end they are forgotten when a larger one comes. */
  #rows: Row[] = [];

  add(value: number, time: bigint): void {
    this.#samples++;
    if (this.#row?.value === value) {
      this.#equal++;
      this.#row = { ...this.#row, length: this.#row.length + 1, endTime: time + 1n };
      if (this.#rows.at(-1)?.startTime === this.#row.startTime) this.#rows[this.#rows.length - 1] = this.#row;
      else if (this.#row.length >= ROW && this.#isExtreme(value)) this.#rows.push(this.#row);
      return;
    }
    this.#row = { value, length: 1, startTime: time, endTime: time + 1n };
    if (value > this.#max || value < this.#min) {
      this.#min = Math.min(this.#min, value);
      this.#max = Math.max(this.#max, value);
      this.#rows = this.#rows.filter((row) => this.#isExtreme(row.value));
    }
    if (this.#rows.length > 1024) this.#rows.splice(0, 512);
  }

  result(): { readonly count: number; readonly window: { startTime: bigint; endTime: bigint } | undefined } {
    const hasSpread = this.#max > this.#min;
    const isCoarse =
      this.#equal - this.#rows.reduce((sum, { length }) => sum + length, 0) > COARSE_SHARE * this.#samples;
    const rows = hasSpread ? this.#rows.filter(({ length }) => length >= (isCoarse ? COARSE_ROW : ROW)) : [];
    const [first, last] = [rows[0], rows.at(-1)];
    const window = first && last && { startTime: first.startTime, endTime: last.endTime };
    return { count: rows.reduce((sum, { length }) => sum + length, 0), window };
  }

  #isExtreme(value: number): boolean {
    return value >= this.#max || value <= this.#min;
  }
}
