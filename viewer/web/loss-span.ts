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
