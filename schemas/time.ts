/** Instants are bigint nanoseconds since the Unix epoch; ranges are half-open. */

/** A ROS stamp: whole seconds and the nanoseconds on top (`builtin_interfaces/Time`). */
export interface Stamp {
  readonly sec: number;
  readonly nanosec: number;
}

/** Half-open range of instants, [startTime, endTime). */
export interface TimeRange {
  readonly startTime: bigint;
  readonly endTime: bigint;
}

/** Where code that needs the current instant gets it; tests hand in their own. */
export interface Clock {
  /** Nanoseconds since the Unix epoch. */
  now(): bigint;
  /** What a clock that carries the system clock on was tied to; absent on a simulated clock. */
  readonly anchor?: ClockAnchor;
  /**
   * How far the clock that this one was tied to, or follows, has stepped away from it, nanoseconds; absent
   * where there is no such clock.
   */
  stepNanos?(): bigint;
}

export const NANOS_PER_SEC = 1_000_000_000n;

export function stampToNanos(stamp: Stamp): bigint {
  return BigInt(stamp.sec) * NANOS_PER_SEC + BigInt(stamp.nanosec);
}

export function nanosToStamp(nanos: bigint): Stamp {
  const sec = nanos / NANOS_PER_SEC;
  const nanosec = nanos % NANOS_PER_SEC;
  return nanosec < 0n
    ? { sec: Number(sec - 1n), nanosec: Number(nanosec + NANOS_PER_SEC) }
    : { sec: Number(sec), nanosec: Number(nanosec) };
}

/** Rounds to the nearest nanosecond. */
export function secsToNanos(secs: number): bigint {
  return BigInt(Math.round(secs * 1e9));
}

/** For durations and for display: instants of today lose about 200 ns here. */
export function nanosToSecs(nanos: bigint): number {
  return Number(nanos) / 1e9;
}

/** RFC 3339 in UTC with nanoseconds, `2026-11-22T09:30:00.123456789Z`. */
export function formatTime(time: bigint): string {
  const { sec, nanosec } = nanosToStamp(time);
  return new Date(sec * 1000).toISOString().replace(/\.\d+Z$/, `.${String(nanosec).padStart(9, '0')}Z`);
}

/** Tick k of a rate, in integers so that no rounding error adds up over an episode. */
export function tickTime(startTime: bigint, index: number, rateHz: number): bigint {
  const milliHertz = BigInt(Math.round(rateHz * 1000));
  return startTime + (BigInt(index) * NANOS_PER_SEC * 1000n) / milliHertz;
}

/** What a {@link MonotonicClock} was tied to when it was made. */
export interface ClockAnchor {
  /** System clock at the anchor. */
  readonly systemTime: bigint;
  /** `process.hrtime` at the anchor; its origin is arbitrary. */
  readonly monotonicNanos: bigint;
}

/**
 * The system clock at the anchor, carried on by the monotonic clock: it never steps backwards,
 * whatever NTP or an administrator does meanwhile.
 */
export class MonotonicClock implements Clock {
  readonly anchor: ClockAnchor;
  readonly #readSystem: () => bigint;
  readonly #readMonotonic: () => bigint;

  /** @param clocks of this machine; others for tests. */
  constructor({ system = systemTime, monotonic = process.hrtime.bigint } = {}) {
    this.#readSystem = system;
    this.#readMonotonic = monotonic;
    this.anchor = { systemTime: system(), monotonicNanos: monotonic() };
  }

  now(): bigint {
    return this.anchor.systemTime + (this.#readMonotonic() - this.anchor.monotonicNanos);
  }

  stepNanos(): bigint {
    // A thread that is put aside between the two readings sees a step where there was none; not three times.
    const readings = Array.from({ length: 3 }, () => this.#readSystem() - this.now());
    return readings.reduce((least, each) => (magnitude(each) < magnitude(least) ? each : least));
  }
}

function magnitude(nanos: bigint): bigint {
  return nanos < 0n ? -nanos : nanos;
}

function systemTime(): bigint {
  // performance.timeOrigin + now() has microseconds where Date.now() has milliseconds, but it is
  // itself monotonic and so hides steps of the system clock; Date.now() follows them.
  return BigInt(Date.now()) * 1_000_000n;
}
