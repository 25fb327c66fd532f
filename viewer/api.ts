import type { StreamRole } from '../schemas/contract.ts';
import type { FindingsFile } from '../schemas/finding.ts';
import type { CurrentLabels, LabelEntry } from '../schemas/labels.ts';
import type { LossCause } from '../schemas/ledger.ts';
import type { LibraryEntry } from '../schemas/library-entry.ts';
import type { RecordingStatus } from '../schemas/recording-control.ts';

/** The JSON that the server answers and the page reads. Instants are nanoseconds as decimal strings. */

/** `GET /api/episodes`, with the query of `episode-query.ts` */
export interface EpisodeList {
  /** The part that was asked for of those that match. */
  readonly episodes: readonly EpisodeSummary[];
  readonly matched: number;
  readonly total: number;
  /** How many of them were not read yet: ask again soon. */
  readonly pending: number;
  readonly facets: Facets;
  /** Whether a recording session is served beside them. */
  readonly isRecording: boolean;
}

/** Every value that some episode has, in order. */
export type Facets = Readonly<
  Record<'task' | 'operator' | 'session' | 'scene' | 'object', readonly string[]>
>;

export interface EpisodeSummary extends LibraryEntry {
  readonly id: string;
  readonly fileName: string;
}

/** `GET /api/episodes/<id>/neighbours`, with the same query */
export interface EpisodeNeighbours {
  /** Its place in the list; null where it is not in it. */
  readonly position: number | null;
  readonly matched: number;
  readonly previous: string | null;
  readonly next: string | null;
}

/** `GET /api/episodes/<id>/labels`, and the answer to a statement */
export interface EpisodeLabels {
  /** What holds now. */
  readonly current: Json<CurrentLabels>;
  /** All that was ever said, in order. */
  readonly entries: readonly Json<LabelEntry>[];
  readonly unreadableLines: number;
}

/** `GET /api/episodes/<id>/findings` */
export interface EpisodeFindings {
  /** Null where the episode was not checked, or by another version. */
  readonly report: Json<FindingsFile> | null;
}

/** Each event of `GET /api/events`. */
export interface LibraryEvent {
  /** Of an episode that appeared, went, or of which something new was said. */
  readonly id: string;
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

/** A value as JSON carries it: instants are decimal strings. */
export type Json<T> = T extends bigint
  ? string
  : T extends object
    ? { readonly [K in keyof T]: Json<T[K]> }
    : T;
