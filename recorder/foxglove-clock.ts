import type { Clock } from '../schemas/time.ts';

/** Messages overtake each other on their way by less than this; a larger step back is a clock set back. */
const OVERTAKING_NANOS = 1_000_000_000n;

/**
 * The clock of a server that has one of its own: a simulation or a replay. The protocol asks that a server
 * with the capability `time` stamps its messages by the time it announces, so its time is the receive time:
 * a recording of a replay bears the times of the original, at whatever speed it was played.
 *
 * A server's time may go back, when a simulation is reset or a replay loops. This clock goes on from where
 * it was; the publish time of a message stays the server's.
 */
export class ServerClock implements Clock {
  #newest: bigint;
  #offsetNanos = 0n;

  /** @param time where the server's time stands. */
  constructor(time: bigint) {
    this.#newest = time;
  }

  now(): bigint {
    return this.#newest + this.#offsetNanos;
  }

  /** Takes note of an instant of the server's. @returns how far its time has gone back, nanoseconds. */
  follow(serverTime: bigint): bigint {
    const backNanos = this.#newest - serverTime;
    if (backNanos < 0n) this.#newest = serverTime;
    if (backNanos <= OVERTAKING_NANOS) return 0n;
    this.#newest = serverTime;
    this.#offsetNanos += backNanos;
    return backNanos;
  }

  /** The instant of this clock for one of the server's. */
  timeOf(serverTime: bigint): bigint {
    return serverTime + this.#offsetNanos;
  }
}
