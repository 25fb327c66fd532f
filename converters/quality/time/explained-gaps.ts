import type { LossCause } from '../../../schemas/ledger.ts';
import type { EpisodeFacts } from '../episode-facts.ts';

/** Losses that the recorder itself counted: a gap in the stream there says nothing of the robot. */
const OWN: ReadonlySet<LossCause> = new Set(['queue-full', 'damaged']);

/** Why a gap of a topic is the recorder's and not the stream's; undefined where nothing explains it. */
export function explainedBy(
  { ledger }: EpisodeFacts,
  topic: string,
  { startTime, endTime }: { readonly startTime: bigint; readonly endTime: bigint },
): LossCause | undefined {
  return ledger?.losses.find(
    (loss) =>
      loss.topic === topic && OWN.has(loss.cause) && loss.startTime < endTime && loss.endTime > startTime,
  )?.cause;
}
