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

/** A step as the episode carries it. */
export function clockStepEvent(nanos: bigint): EpisodeEvent {
  return { event: 'clock-step', by: 'recorder', text: signedSecs(nanos) };
}

/** A step as the operator is told of it. */
export function clockStepWarning(nanos: bigint): SourceWarning {
  return {
    kind: 'clock-step',
    message:
      `The clock that log times are tied to stepped by ${signedSecs(nanos)}: the system clock was set, a ` +
      'simulation was reset, or a playback begins again. Log times go on from where they were, and the step is ' +
      'an event of the take. Start the recorder again to follow the new time.',
  };
}

function signedSecs(nanos: bigint): string {
  return `${nanos < 0n ? '-' : '+'}${nanosToSecs(nanos < 0n ? -nanos : nanos).toFixed(3)} s`;
}
