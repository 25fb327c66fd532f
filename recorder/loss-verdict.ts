import type { Contract } from '../schemas/contract.ts';
import { type Ledger, type Loss, lossesByTopic } from '../schemas/ledger.ts';

/** One topic that lost more than its contract tolerates. */
export interface LossVerdict {
  readonly topic: string;
  /** Lost messages, counted and inferred; undefined where a loss has no number. */
  readonly lost: number | undefined;
  /** Share of all messages there should have been; undefined with `lost`. */
  readonly share: number | undefined;
  readonly toleratedShare: number;
  readonly losses: readonly Loss[];
}

/** The topics whose losses the contract does not tolerate; "record" exits with 3 when there are any. */
export function untoleratedLosses(ledger: Ledger, contract: Contract): readonly LossVerdict[] {
  const streams = new Map(Object.values(contract.streams).map((stream) => [stream.topic, stream]));
  const totals = new Map(ledger.totals.map((total) => [total.topic, total]));
  return [...lossesByTopic(ledger)].flatMap(([topic, losses]) => {
    const toleratedShare = streams.get(topic)?.toleratedLoss ?? 0;
    const counted = losses.every(({ messages }) => messages !== null);
    const lost = counted ? losses.reduce((sum, { messages }) => sum + (messages ?? 0), 0) : undefined;
    const share = lost === undefined ? undefined : lost / (lost + (totals.get(topic)?.written ?? 0));
    if (share !== undefined && share <= toleratedShare) return [];
    return [{ topic, lost, share, toleratedShare, losses }];
  });
}
