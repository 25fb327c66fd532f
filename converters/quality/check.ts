import type { Claim, FindingStatus } from '../../schemas/finding.ts';
import type { EpisodeFacts } from './episode-facts.ts';
import type { Observation } from './observation.ts';
import type { CheckedStream, Subject } from './subject.ts';

/** One line of the catalogue: what a check looks for, and what a person needs to know about it. */
export interface CheckRecord {
  /** `T07`; never reused for something else. */
  readonly id: string;
  readonly title: string;
  readonly claim: Claim;
  /** The earliest moment at which it can judge: while recording, after the take, over a library. */
  readonly runs: 'live' | 'take' | 'library';
  /** Of the value and its limits; empty for a plain number. */
  readonly unit: string;
  /** What the value is held against; absent for a check that states its status itself. */
  readonly limits?: CatalogueLimits;
  /** What `kinescribe explain` prints. */
  readonly explain: Explanation;
}

/** The catalogue's limits. A value beyond `warn` is a warning, beyond `fail` a failure. */
export interface CatalogueLimits {
  readonly warn?: number;
  readonly fail?: number;
  /** The side on which values are bad. @default 'above' */
  readonly bad?: 'above' | 'below';
  /** False for a limit of this project's own that no real robot has validated. */
  readonly validated: boolean;
}

/** A check in words. */
export interface Explanation {
  /** What usually makes it fail. */
  readonly cause: string;
  readonly formula: string;
  /** What to do about it. */
  readonly remedy: string;
  /** A finding as one might meet it. */
  readonly example: string;
  /** Where formula and limits come from. */
  readonly source: string;
}

/**
 * A check: its record and how it watches an episode. The same check runs live, after a take and over a library;
 * its memory does not grow with the episode (sketches, windows, counts).
 */
export interface Check extends CheckRecord {
  /** Starts to watch one episode. */
  watch(subject: Subject): Watch;
}

/** One check in the middle of one episode. */
export interface Watch {
  /** Whether it looks at the messages of a stream; asked once when the stream's channel appears. */
  wants?(stream: CheckedStream): boolean;
  /** A message of a stream that it wants; in order of arrival. */
  observe?(observation: Observation): void;
  /** The recorder's queue refused a message; only while recording. */
  refused?(stream: CheckedStream, logTime: bigint): void;
  /**
   * What holds at an instant of log time. Live it is asked again and again, at the end once more with the
   * facts of the finished file.
   */
  findings(now: bigint, facts?: EpisodeFacts): Iterable<Judgement>;
}

/** A finding before it is graded: the check says what it measured, the limits say what that means. */
export interface Judgement {
  /** Graded by the limits where absent; `value` must be there then. */
  readonly status?: FindingStatus;
  readonly value?: number;
  /** Another claim than the check's; for checks whose claim depends on what is known. */
  readonly claim?: Claim;
  /** Limits known only to the check, such as one in periods of the stream; else those of the subject. */
  readonly limits?: Pick<CatalogueLimits, 'warn' | 'fail'> & { readonly origin?: 'contract' | 'calibration' };
  /** Log times, half-open. */
  readonly window?: { readonly startTime: bigint; readonly endTime: bigint } | undefined;
  readonly stream?: CheckedStream | undefined;
  readonly channel?: string | undefined;
  readonly evidence?: Readonly<Record<string, number | string | boolean | readonly (number | string)[]>>;
  /** What was found, or why nothing could be, in one sentence. */
  readonly reason: string;
}
