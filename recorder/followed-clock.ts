import type { Clock } from '../schemas/time.ts';

/** Announcements overtake each other by less than this; a larger step back is a clock set back. */
const OVERTAKING_NANOS = 1_000_000_000n;

/**
 * A clock that follows the time that another announces: a simulation's `/clock`, or the server of a
 * simulation or a replay. It stands still between two announcements, as rosbag2's does with `use_sim_time`.
 *
 * An announced time may go back, when a simulation is reset or a replay loops. This clock goes on from where
 * it was, and tells the step.
 */
export class FollowedClock implements Clock {
  #newest: bigint;
  #offsetNanos = 0n;

  /** @param time the first that was announced. */
  constructor(time: bigint) {
    this.#newest = time;
  }

  now(): bigint {
    return this.#newest + this.#offsetNanos;
  }

  stepNanos(): bigint {
    return -this.#offsetNanos;
  }

  /** Takes note of an announced time. */
  follow(time: bigint): void {
    const backNanos = this.#newest - time;
    if (backNanos < 0n) this.#newest = time;
    if (backNanos <= OVERTAKING_NANOS) return;
    this.#newest = time;
    this.#offsetNanos += backNanos;
  }

  /** The instant of this clock for one of the announcer's. */
  timeOf(time: bigint): bigint {
    return time + this.#offsetNanos;
  }
}
