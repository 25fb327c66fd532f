import type { FinishedTake } from '../recorder/finished-take.ts';
import { untoleratedLosses } from '../recorder/loss-verdict.ts';
import type { Contract } from '../schemas/contract.ts';
import { type Loss, lossesByTopic } from '../schemas/ledger.ts';
import type { TakeFindings } from '../schemas/message-observer.ts';
import { nanosToSecs } from '../schemas/time.ts';

const CAUSES: Record<Loss['cause'], string> = {
  'queue-full': 'refused, queue full',
  gap: 'missing by their stamps',
  'late-start': 'missing, late start',
  'early-end': 'missing, early end',
  'publisher-gone': 'missing, its publisher was gone',
  silent: 'stream never sent',
  damaged: 'damaged in the file',
};

/** What a take holds and what it lost, for the person who just recorded it; times are seconds into it. */
export function takeLines(take: FinishedTake, contract: Contract): string[] {
  const { id, file, bytes, startTime, durationSecs, ledger } = take;
  const written = ledger.totals.reduce((sum, total) => sum + total.written, 0);
  const head = `${id}: ${durationSecs.toFixed(1)} s, ${written} messages, ${(bytes / 1e6).toFixed(1)} MB → ${file}`;
  const untolerated = new Set(untoleratedLosses(ledger, contract).map(({ topic }) => topic));
  const lines = [...lossesByTopic(ledger)].map(([topic, losses]) => {
    const where = losses
      .slice(0, 5)
      .map((loss) => `${count(loss)} ${CAUSES[loss.cause]} ${range(loss, startTime)}`);
    const more = losses.length > 5 ? [`${losses.length - 5} more gaps`] : [];
    return `  LOST ${topic}: ${[...where, ...more].join('; ')}${untolerated.has(topic) ? '' : ' (tolerated)'}`;
  });
  const { droppedDatagrams } = ledger;
  const dropped = droppedDatagrams
    ? [`  the kernel dropped ${droppedDatagrams} datagrams; what was not sent again is missing`]
    : [];
  return [head, ...(lines.length > 0 ? lines : ['  nothing lost']), ...dropped];
}

function count({ messages }: Loss): string {
  return messages === null ? 'unknown number' : `${messages} message${messages === 1 ? '' : 's'}`;
}

function range({ startTime, endTime }: Loss, origin: bigint): string {
  return `at ${nanosToSecs(startTime - origin).toFixed(2)}–${nanosToSecs(endTime - origin).toFixed(2)} s`;
}

/** What the checks make of a take, for the person who just recorded it. */
export function checkedLines({ verdict, reasons }: Pick<TakeFindings, 'verdict' | 'reasons'>): string[] {
  return [`  ${verdict}`, ...reasons.map((reason) => `    ${reason}`)];
}
