import type { LossCause } from '../../../schemas/ledger.ts';
import { pauseSpans } from '../../../schemas/pause-spans.ts';
import { nanosToSecs, type TimeRange } from '../../../schemas/time.ts';
import type { EpisodeFacts } from '../episode-facts.ts';
import type { CheckedStream, Subject } from '../subject.ts';
import type { Gap } from './rhythm.ts';

/** Losses that the recorder itself counted: a gap in the stream there says nothing of the robot. */
const OWN: ReadonlySet<LossCause> = new Set(['queue-full', 'damaged']);

export interface GapContext {
  readonly stream: CheckedStream;
  readonly subject: Subject;
  /** Gaps up to this long are none, seconds. */
  readonly limitSecs: number;
  readonly now: bigint;
  /** Absent while recording. */
  readonly facts: Pick<EpisodeFacts, 'ledger'> | undefined;
}

/** Why a gap says nothing of the stream: the recorder's own loss, or a marked pause; undefined where nothing does. */
export function explainedBy(
  gap: Gap,
  { stream, subject, limitSecs, now, facts }: GapContext,
): LossCause | 'pause' | undefined {
  const own = facts?.ledger?.losses.find(
    (loss) => loss.topic === stream.topic && OWN.has(loss.cause) && overlapSecs(loss, [gap]) > 0,
  );
  if (own) return own.cause;
  const paused = overlapSecs(gap, pauseSpans(subject.events, now));
  return paused > 0 && gap.secs - paused <= limitSecs ? 'pause' : undefined;
}

/** How long a range lies within others. */
export function overlapSecs(range: TimeRange, others: readonly TimeRange[]): number {
  return others.reduce((sum, { startTime, endTime }) => {
    const from = startTime > range.startTime ? startTime : range.startTime;
    const to = endTime < range.endTime ? endTime : range.endTime;
    return to > from ? sum + nanosToSecs(to - from) : sum;
  }, 0);
}
