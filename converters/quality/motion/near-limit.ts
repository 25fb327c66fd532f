import type { ChannelValue } from './worst.ts';

/** Shorter visits do not count. */
const NEAR_SECS = 0.2;

interface Window {
  readonly startTime: bigint;
  readonly endTime: bigint;
}

/** Time of a joint near its limits, in runs that last. */
export class NearLimit {
  #firstTime: bigint | undefined;
  #lastTime = 0n;
  #nearNanos = 0n;
  #runFrom: bigint | undefined;
  #longest: Window | undefined;

  add(time: bigint, isNear: boolean): void {
    this.#firstTime ??= time;
    this.#lastTime = time;
    if (isNear) this.#runFrom ??= time;
    else this.#endRun(time);
  }

  result(): Pick<ChannelValue, 'value' | 'window'> {
    this.#endRun(this.#lastTime);
    const all = this.#lastTime - (this.#firstTime ?? this.#lastTime);
    return { value: all > 0n ? Number(this.#nearNanos) / Number(all) : 0, window: this.#longest };
  }

  #endRun(endTime: bigint): void {
    const startTime = this.#runFrom;
    this.#runFrom = undefined;
    if (startTime === undefined || Number(endTime - startTime) / 1e9 < NEAR_SECS) return;
    this.#nearNanos += endTime - startTime;
    const longest = this.#longest ? this.#longest.endTime - this.#longest.startTime : 0n;
    if (endTime - startTime > longest) this.#longest = { startTime, endTime };
  }
}
