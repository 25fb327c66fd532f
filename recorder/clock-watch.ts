import type { EpisodeEvent } from '../schemas/episode-events.ts';
import { type Clock, nanosToSecs, secsToNanos } from '../schemas/time.ts';
import type { SourceWarning } from './source.ts';

/** Two clocks are never read at the same instant: what differs by less is no step. */
const LEAST_STEP_NANOS = secsToNanos(0.02);

/** Notices steps of the clock that log times were tied to: log times do not follow them. */
export class ClockWatch {
  readonly #clock: Clock;
  #totalNanos = 0n;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How far that clock has stepped away, all steps so far taken together. */
  get totalNanos(): bigint {
    return this.#totalNanos;
  }

  /** The step since the call before, nanoseconds; undefined where there was none. */
  look(): bigint | undefined {
    const total = this.#clock.stepNanos?.() ?? 0n;
    const step = total - this.#totalNanos;
    if (step < LEAST_STEP_NANOS && step > -LEAST_STEP_NANOS) return undefined;
    this.#totalNanos = total;
    return step;
  }
}
