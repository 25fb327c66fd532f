import type { EpisodeFacts, LossFacts } from '../api.ts';
import { CAUSES, formatClock, formatCount } from './format.ts';

/** A loss on the episode's own time axis. */
export interface LossSpan {
  readonly topic: string;
  /** Seconds from the start, held within the episode. */
  readonly fromSecs: number;
  readonly toSecs: number;
  /** Topic, cause, number and place in one sentence. */
  readonly text: string;
}

export function lossSpan(loss: LossFacts, { startTime, durationSecs }: EpisodeFacts): LossSpan {
  const secs = (time: string) =>
    Math.min(Math.max(Number(BigInt(time) - BigInt(startTime)) / 1e9, 0), durationSecs);
  const [fromSecs, toSecs] = [secs(loss.startTime), secs(loss.endTime)];
  const count = loss.messages === null ? 'an unknown number of' : formatCount(loss.messages);
  return {
    topic: loss.topic,
    fromSecs,
    toSecs,
    text:
      `${loss.topic}: ${count} ${loss.messages === 1 ? 'message' : 'messages'} missing ` +
      `from ${formatClock(fromSecs)} to ${formatClock(toSecs)} – ${CAUSES[loss.cause] ?? loss.cause}`,
  };
}

/** A pause of fewer message periods than this, or shorter than this, is ordinary jitter. */
const SILENCE_PERIODS = 10;
const SILENCE_SECS = 0.1;

/** Where a stream of a recording without a ledger fell silent, judged by its own usual period. */
export function silenceSpans(topic: string, times: readonly number[], durationSecs: number): LossSpan[] {
  const pauses = times.slice(1).map((time, index) => time - times[index]!);
  const median = pauses.toSorted((a, b) => a - b)[pauses.length >> 1];
  if (median === undefined) return [];
  const limit = Math.max(SILENCE_PERIODS * median, SILENCE_SECS);
  const edges = [0, ...times, durationSecs];
  return edges.slice(1).flatMap((toSecs, index): LossSpan[] => {
    const fromSecs = edges[index]!;
    if (toSecs - fromSecs <= limit) return [];
    const where = `from ${formatClock(fromSecs)} to ${formatClock(toSecs)}`;
    return [{ topic, fromSecs, toSecs, text: `${topic}: nothing ${where} – the recording does not say why` }];
  });
}
