import type { EpisodeInfo } from '../../schemas/episode.ts';
import type { EpisodeReader } from '../../schemas/episode-reader.ts';
import type { LabelEntry } from '../../schemas/labels.ts';
import type { Ledger } from '../../schemas/ledger.ts';

/** What only the finished file can tell. */
export interface EpisodeFacts {
  readonly reader: EpisodeReader;
  readonly info: EpisodeInfo | undefined;
  readonly ledger: Ledger | undefined;
  readonly labels: readonly LabelEntry[];
  /** Damaged places, as recovery names them; empty for a sound file. */
  readonly damages: readonly string[];
  /** Names of its attachments. */
  readonly attachments: readonly string[];
}
