import type { Fault } from './faults.ts';

/** What a simulated world follows from; crosses to the robot's thread as it is. */
export interface WorldOptions {
  readonly seed: number;
  readonly startTime: bigint;
  readonly faults: readonly Fault[];
  /** Ends after this long, task after task; absent: ends with the first task. */
  readonly durationSecs?: number;
  /** The cameras have 320 × 240 pixels times this, a whole number. @default 1 */
  readonly pictureScale?: number;
}
