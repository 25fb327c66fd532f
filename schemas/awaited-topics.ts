import type { RecordingStatus } from './recording-control.ts';

/** Topics that the next take would begin without: required, and not heard since the last take ended. */
export function awaitedTopics({
  state,
  streams,
}: Pick<RecordingStatus, 'state' | 'streams'>): readonly string[] {
  if (state !== 'idle') return [];
  return streams
    .filter(({ received, trouble }) => received === 0 && trouble === 'silent')
    .map(({ topic }) => topic);
}
