import type { Outcome } from '../schemas/episode.ts';
import { appendLabel, type Label } from '../schemas/labels.ts';
import type { Ledger } from '../schemas/ledger.ts';
import type { TakeFindings } from '../schemas/message-observer.ts';

/** What the operator says of a take in review. */
export interface TakeVerdict {
  readonly outcome?: Outcome;
  /** 1 poor to 5 excellent. */
  readonly quality?: number;
  readonly note?: string;
}

/** A take whose file is complete and that waits for the operator's word. */
export interface FinishedTake {
  readonly id: string;
  readonly file: string;
  readonly bytes: number;
  /** Log time of the start control. */
  readonly startTime: bigint;
  readonly durationSecs: number;
  readonly ledger: Ledger;
  /** What the checks make of it, a moment later; undefined without checks. */
  readonly checked: Promise<TakeFindings | undefined>;
}

/** Writes what an operator says of a take beside it. */
export async function labelTake(
  { file }: FinishedTake,
  { outcome, quality, note }: TakeVerdict,
  author: string,
): Promise<void> {
  const labels: Label[] = [];
  if (outcome) labels.push({ kind: 'outcome', value: outcome });
  if (quality !== undefined) labels.push({ kind: 'quality', value: quality });
  if (note) labels.push({ kind: 'note', value: note });
  const time = new Date().toISOString();
  for (const label of labels) await appendLabel(file, { author, time, label });
}
