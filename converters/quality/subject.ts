import type { Calibration } from '../../schemas/calibration.ts';
import type { Contract } from '../../schemas/contract.ts';
import type { TimedEvent } from '../../schemas/pause-spans.ts';

type StreamContract = Contract['streams'][string];
export type StreamRole = StreamContract['role'];

/** A stream under check: of the contract, or one that only the recording has. */
export interface CheckedStream {
  /** Name in the contract, else its topic. */
  readonly name: string;
  readonly topic: string;
  /** Message type as sent; before the first message as the contract expects it. */
  readonly type: string;
  /** By contract, else guessed from type and topic. */
  readonly role: StreamRole;
  /** Undefined for a stream that no contract names. */
  readonly contract: StreamContract | undefined;
}

/** What a check knows of an episode before its first message. */
export interface Subject {
  /** Undefined for a recording without one; checks say then what they could not assess. */
  readonly contract: Contract | undefined;
  readonly calibration: Calibration | undefined;
  /** Log time from which on messages belong to the episode. */
  readonly startTime: bigint;
  /** The contract's and those that have appeared; grows while recording. */
  readonly streams: readonly CheckedStream[];
  /** What the operator said; grows while recording. */
  readonly events: readonly TimedEvent[];
  /** The instruction; undefined where nobody gave one. */
  readonly task: string | undefined;
}
