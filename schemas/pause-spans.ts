import { decodeEvent, type EpisodeEvent, EVENTS_TOPIC } from './episode-events.ts';
import type { EpisodeReader } from './episode-reader.ts';
import type { TimeRange } from './time.ts';

/** A control of the operator, and when it was given. */
export type TimedEvent = EpisodeEvent & { readonly logTime: bigint };

/**
 * What the operator does not count as demonstration: from each pause up to the resume that ends it, log time, in
 * order. A pause within a pause and a resume outside one say nothing new; a pause without a resume lasts to the end.
 *
 * @param events by time.
 * @param endTime end of the recording, or now.
 */
export function pauseSpans(
  events: Iterable<Pick<TimedEvent, 'event' | 'logTime'>>,
  endTime: bigint,
): readonly TimeRange[] {
  const spans: TimeRange[] = [];
  let pausedAt: bigint | undefined;
  const end = (time: bigint) => {
    if (pausedAt !== undefined && pausedAt < time) spans.push({ startTime: pausedAt, endTime: time });
    pausedAt = undefined;
  };
  for (const { event, logTime } of events) {
    if (event === 'pause') pausedAt ??= logTime;
    else if (event === 'resume') end(logTime);
  }
  end(endTime);
  return spans;
}

/**
 * The pauses of a recording; none where another program recorded it.
 *
 * @throws {MessageError} when an event cannot be read.
 */
export async function recordedPauses(reader: EpisodeReader): Promise<readonly TimeRange[]> {
  const events: TimedEvent[] = [];
  for await (const { data, logTime } of reader.messages({ topics: [EVENTS_TOPIC] })) {
    events.push({ ...decodeEvent(data), logTime });
  }
  return pauseSpans(events, reader.endTime);
}
