import { type Clock, NANOS_PER_SEC } from '../schemas/time.ts';

/** A dragged time line sends 60 a second, a panel full of topics a hundred at once. */
const MAX_FRAMES_PER_SEC = 1000;

/** Bounds how often one client may ask: so many frames at once, and no more per second on and on. */
export class FrameLimit {
  readonly #clock: Clock;
  #left = MAX_FRAMES_PER_SEC;
  #time: bigint;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#time = clock.now();
  }

  /** Whether one more frame is within the limit; counts it. */
  admits(): boolean {
    const now = this.#clock.now();
    const gained = (Number(now - this.#time) / Number(NANOS_PER_SEC)) * MAX_FRAMES_PER_SEC;
    this.#left = Math.min(MAX_FRAMES_PER_SEC, this.#left + gained);
    this.#time = now;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
