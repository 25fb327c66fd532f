import type { StreamRole } from '../schemas/contract.ts';
import type { Outcome } from '../schemas/episode.ts';
import type { LossCause } from '../schemas/ledger.ts';
import type { RecordingStatus } from '../schemas/recording-control.ts';

/** The JSON that the server answers and the page reads. Instants are nanoseconds as decimal strings. */

/** `GET /api/episodes` */
export interface EpisodeList {
  readonly episodes: readonly EpisodeSummary[];
  /** Whether a recording session is served beside them. */
  readonly isRecording: boolean;
}

export interface EpisodeSummary {
  readonly id: string;
  readonly fileName: string;
  readonly bytes: number;
  /** Why the file cannot be read; everything below is then empty. */
  readonly fault: string | null;
  readonly startTime: string;
  readonly durationSecs: number;
  readonly messageCount: number;
  /** Null for recordings without a ledger. */
  readonly lostMessages: number | null;
  readonly robot: string | null;
  readonly task: string | null;
  readonly operator: string | null;
  readonly outcome: Outcome | null;
}

/** `GET /api/episodes/<id>` */
export interface EpisodeFacts extends EpisodeSummary {
  /** One nanosecond past the last message. */
  readonly endTime: string;
  /** In the contract's order, then the others by topic. */
  readonly streams: readonly StreamFacts[];
  /** In order of time. */
  readonly losses: readonly LossFacts[];
}

export interface StreamFacts {
  readonly topic: string;
  /** Its name and role in the contract. */
  readonly name: string | null;
  readonly role: StreamRole | null;
  readonly type: string;
  readonly messageCount: number;
  /** Messages per second from the first to the last. */
  readonly rateHz: number | null;
  readonly expectedRateHz: number | null;
  readonly lostMessages: number | null;
}

export interface LossFacts {
  readonly topic: string;
  readonly cause: LossCause;
  /** Null where not even an estimate is possible. */
  readonly messages: number | null;
  readonly startTime: string;
  readonly endTime: string;
}

/** `GET /api/recording`, each of its events, and the answer to a command; what is undefined is left out. */
export type RecordingNow = Json<RecordingStatus>;

type Json<T> = T extends bigint ? string : T extends object ? { readonly [K in keyof T]: Json<T[K]> } : T;
