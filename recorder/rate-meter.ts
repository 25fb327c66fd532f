import { nanosToSecs } from '../schemas/time.ts';

const SLOTS = 8;
const SLOT_NANOS = 250_000_000n;

/** A window of the shortest length holds one event more or less by chance; this is what it makes of it. */
export const RATE_CHANCE_HZ = 1 / nanosToSecs(BigInt(SLOTS - 1) * SLOT_NANOS);

/** Events per second over the last two seconds, in constant memory. */
export class RateMeter {
  readonly #counts = new Array<number>(SLOTS).fill(0);
  readonly #startTime: bigint;
  #slot: bigint;

  constructor(startTime: bigint) {
    this.#startTime = startTime;
    this.#slot = startTime / SLOT_NANOS;
  }

  count(time: bigint): void {
    this.#advance(time);
    this.#counts[Number(this.#slot % BigInt(SLOTS))]! += 1;
  }

  /** Mean over the filled part of the window. */
  rateHz(now: bigint): number {
    this.#advance(now);
    const windowStart = (this.#slot - BigInt(SLOTS - 1)) * SLOT_NANOS;
    const secs = nanosToSecs(now - (windowStart > this.#startTime ? windowStart : this.#startTime));
    return secs > 0 ? this.#counts.reduce((sum, n) => sum + n, 0) / secs : 0;
  }

  #advance(time: bigint): void {
    const slot = time / SLOT_NANOS;
    if (slot - this.#slot >= BigInt(SLOTS)) this.#counts.fill(0);
    else for (let s = this.#slot + 1n; s <= slot; s++) this.#counts[Number(s % BigInt(SLOTS))] = 0;
    if (slot > this.#slot) this.#slot = slot;
  }
}
