import type { Fault } from './faults.ts';
import type { Phase } from './pick-and-place.ts';

/** Nanoseconds since the Unix epoch as a decimal string: JSON has no bigint. */
export type InstantText = string;

/** Half-open, on the robot's true clock. */
export interface Interval {
  readonly startTime: InstantText;
  readonly endTime: InstantText;
}

export type ContactPair = 'finger_left-block' | 'finger_right-block' | 'block-table';

/** What really happened, for scoring checks and annotators; plain JSON. */
export interface DemoTruth {
  readonly seed: number;
  readonly startTime: InstantText;
  readonly endTime: InstantText;
  readonly phases: readonly (Interval & { readonly phase: Phase })[];
  /** Spans of unbroken touch; breaks of less than 10 ms are bridged. */
  readonly contacts: readonly (Interval & { readonly pair: ContactPair })[];
  /** Spans in which both fingers hold the block. */
  readonly grasps: readonly Interval[];
  readonly tasks: readonly TaskTruth[];
  /** The block's centre, at 20 Hz. */
  readonly block: readonly BlockTruth[];
  readonly faults: readonly FaultTruth[];
}

export interface TaskTruth extends Interval {
  /** Where the block was to be put, [x, y, z] metres in the world. */
  readonly target: readonly number[];
  /** Distance of the block from the target at the end, metres on the table. */
  readonly missMetres: number;
  /** Whether the block stands on the target, let go. */
  readonly success: boolean;
}

export interface BlockTruth {
  readonly time: InstantText;
  /** [x, y, z] metres in the world. */
  readonly position: readonly number[];
  /** [x, y, z, w]. */
  readonly orientation: readonly number[];
}

export interface FaultTruth {
  readonly fault: Fault;
  /** Absent for a missed grasp whose task never came. */
  readonly span: Interval | undefined;
  /** Stamps of the messages it touched, as they stand in the header or, if dropped, would have stood. */
  readonly sensorTimes: readonly InstantText[];
}
