/** Lags that are tried, samples: from the state leading by a fifth of a second to it following after half of one. */
const EARLIEST = -20;
const LATEST = 50;
/** Speeds are differences over this many samples: short enough for reversals, long enough for noise. */
const SPAN = 5;

/** Sums of products of command and state speeds by lag; what follows what shows where they peak. */
export class LagSums {
  readonly #products = new Float64Array(LATEST - EARLIEST + 1);
  /** By lag: how much moves within what is compared differs from lag to lag. */
  readonly #statePowers = new Float64Array(LATEST - EARLIEST + 1);
  #commandPower = 0;

  /** One joint; series of {@link PAIR_RATE_HZ}. */
  add(command: Float64Array, state: Float64Array): void {
    const [c, s] = [speeds(command), speeds(state)];
    const [first, last] = [-EARLIEST, c.length - LATEST];
    for (let i = first; i < last; i++) this.#commandPower += c[i]! ** 2;
    for (let lag = EARLIEST; lag <= LATEST; lag++) {
      let [product, power] = [0, 0];
      for (let i = first; i < last; i++) {
        product += c[i]! * s[i + lag]!;
        power += s[i + lag]! ** 2;
      }
      this.#products[lag - EARLIEST]! += product;
      this.#statePowers[lag - EARLIEST]! += power;
    }
  }

  /** Samples by which the state follows, to a part of one, and how well they agree there; undefined at rest. */
  best(): { readonly lag: number; readonly agreement: number } | undefined {
    const products = this.#products.map((product, i) => {
      const power = Math.sqrt(this.#commandPower * this.#statePowers[i]!);
      return power > 0 ? product / power : 0;
    });
    if (products.every((product) => product === 0)) return undefined;
    let at = 0;
    for (let i = 1; i < products.length; i++) if (products[i]! > products[at]!) at = i;
    const [before, peak, after] = [products[at - 1], products[at]!, products[at + 1]];
    const bend = before === undefined || after === undefined ? 0 : before - 2 * peak + after;
    const shift = bend < 0 ? (0.5 * (before! - after!)) / bend : 0;
    return { lag: at + EARLIEST + shift, agreement: peak };
  }
}

function speeds(values: Float64Array): Float64Array {
  return Float64Array.from(
    { length: Math.max(0, values.length - SPAN) },
    (_, i) => values[i + SPAN]! - values[i]!,
  );
}
