/** Counts how often a value turns back, leaving out what is smaller than an amplitude. */
export class Reversals {
  readonly #amplitude: () => number;
  readonly #times: bigint[] = [];
  #extreme: number | undefined;
  #direction = 0;
  /** Most reversals within one second, and when. */
  most: { readonly count: number; readonly startTime: bigint; readonly endTime: bigint } | undefined;

  /** @param amplitude asked anew for every value: a range may become known while it is used. */
  constructor(amplitude: () => number) {
    this.#amplitude = amplitude;
  }

  add(value: number, time: bigint): void {
    this.#extreme ??= value;
    const back = value - this.#extreme;
    if (back * this.#direction > 0) this.#extreme = value;
    else if (Math.abs(back) > this.#amplitude()) {
      if (this.#direction !== 0) this.#turned(time);
      [this.#extreme, this.#direction] = [value, Math.sign(back)];
    }
  }

  #turned(time: bigint): void {
    this.#times.push(time);
    while (time - this.#times[0]! >= 1_000_000_000n) this.#times.shift();
    if (this.#times.length > (this.most?.count ?? 0)) {
      this.most = { count: this.#times.length, startTime: this.#times[0]!, endTime: time + 1n };
    }
  }
}
