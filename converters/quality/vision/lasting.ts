/** A stretch of log time and what was measured over it. */
export interface Stretch {
  readonly value: number;
  readonly startTime: bigint;
  readonly endTime: bigint;
}

/**
 * The worst value that held over some looks in a row: a single bad picture makes no bad camera.
 */
export class Lasting {
  readonly #count: number;
  readonly #isWorse: (a: number, b: number) => boolean;
  readonly #latest: { readonly value: number; readonly time: bigint }[] = [];
  #worst: Stretch | undefined;
  #looks = 0;

  /** @param looks in a row over which a value must hold. */
  constructor(looks: number, bad: 'above' | 'below') {
    this.#count = looks;
    this.#isWorse = bad === 'above' ? (a, b) => a > b : (a, b) => a < b;
  }

  /** How many values there were. */
  get looks(): number {
    return this.#looks;
  }

  /** Undefined before enough looks. */
  get worst(): Stretch | undefined {
    return this.#worst;
  }

  add(value: number, time: bigint): void {
    this.#looks++;
    this.#latest.push({ value, time });
    if (this.#latest.length > this.#count) this.#latest.shift();
    if (this.#latest.length < this.#count) return;
    const held = this.#latest.reduce(
      (best, each) => (this.#isWorse(best, each.value) ? each.value : best),
      this.#latest[0]!.value,
    );
    if (this.#worst && !this.#isWorse(held, this.#worst.value)) return;
    this.#worst = { value: held, startTime: this.#latest[0]!.time, endTime: time + 1n };
  }
}
