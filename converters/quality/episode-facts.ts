import type { EpisodeInfo } from '../../schemas/episode.ts';
import type { CurrentLabels } from '../../schemas/labels.ts';
import type { Ledger } from '../../schemas/ledger.ts';
import type { FrameSurvey } from './frame-survey.ts';
import type { CheckedStream } from './subject.ts';

/** What only the finished file, or its library, can tell. */
export interface EpisodeFacts {
  readonly file: string;
  readonly info: EpisodeInfo | undefined;
  readonly ledger: Ledger | undefined;
  readonly labels: CurrentLabels;
  /** Damaged places in words; empty for a sound file. */
  readonly damages: readonly string[];
  /** Of the contract; undefined where there is none, or where it gives no frames: see `noFrames`. */
  readonly frames: FrameSurvey | undefined;
  readonly noFrames: string | undefined;
  /** How the pictures go with the motion; undefined where nobody had the time to look at all of them. */
  readonly content: readonly ContentLag[] | undefined;
  /** Other episodes of the same library; empty where one is checked alone. */
  readonly peers: readonly Peer[];
}

/** What checks compare an episode with. */
export interface Peer {
  readonly id: string;
  readonly task: string | undefined;
  readonly durationSecs: number;
  /** First position of each joint by stream, radians or metres. */
  readonly start: Readonly<Record<string, readonly number[]>>;
  /** Names of its marked steps, in order; empty where nobody marked any. */
  readonly steps: readonly string[];
}

/** How the pictures of a camera go with the motion of the joints, and with each other. */
export interface ContentLag {
  readonly stream: CheckedStream;
  /** Log times of the first and the last picture that were compared. */
  readonly window: { readonly startTime: bigint; readonly endTime: bigint };
  readonly pictures: number;
  readonly periodSecs: number;
  /** By how much the pictures show the motion late; negative for early. */
  readonly lagSecs: number;
  /** Correlation there, and at the next best peak; 0 without any. */
  readonly agreement: number;
  readonly nextAgreement: number;
  /** Share of the pictures before which the arm moved. */
  readonly motion: number;
  /** Amplitude of what is common to the picture's brightness between 1 and 15 Hz, as a share of full scale. */
  readonly flicker: number;
}
