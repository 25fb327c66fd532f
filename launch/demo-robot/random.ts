/** A seeded stream of random numbers; the same seed gives the same numbers on every machine. */
export class Random {
  readonly #state: Uint32Array;
  #spareNormal: number | undefined;

  /** @param seed any text; different texts give independent streams. */
  constructor(seed: string) {
    this.#state = new Uint32Array(4);
    for (let word = 0; word < 4; word++) this.#state[word] = fnv1a(`${word}/${seed}`);
    for (let i = 0; i < 16; i++) this.next(); // neighbouring seeds part ways
  }

  /** Uniform in [0, 1). Algorithm: sfc32 of Chris Doty-Humphrey's PractRand. */
  next(): number {
    const s = this.#state;
    const sum = (s[0]! + s[1]! + s[3]!) >>> 0;
    s[3] = s[3]! + 1;
    s[0] = s[1]! ^ (s[1]! >>> 9);
    s[1] = s[2]! + (s[2]! << 3);
    s[2] = ((s[2]! << 21) | (s[2]! >>> 11)) + sum;
    return sum / 2 ** 32;
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** Mean 0, standard deviation 1 (Box-Muller). */
  normal(): number {
    if (this.#spareNormal !== undefined) {
      const spare = this.#spareNormal;
      this.#spareNormal = undefined;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    const angle = 2 * Math.PI * this.next();
    this.#spareNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** Exponentially distributed with mean 1. */
  exponential(): number {
    return -Math.log(1 - this.next());
  }
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
