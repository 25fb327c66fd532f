import type { RecordingStatus } from './recording-control.ts';

/** What an operator who looks at the robot, not at the screen, has to hear. */
export type RecordingCue = 'start' | 'stop' | 'kept' | 'discarded' | 'trouble';

/** The part of a status that can be heard. */
export interface AudibleStatus extends Pick<RecordingStatus, 'state' | 'kept' | 'discarded'> {
  readonly trouble?: string | undefined;
  readonly streams: readonly { readonly topic: string; readonly trouble?: string | undefined }[];
}

/** What of two statuses in a row is to be heard: trouble first, then what an operator did. */
export function cueOf(before: AudibleStatus, now: AudibleStatus): RecordingCue | undefined {
  if (now.trouble !== undefined && now.trouble !== before.trouble) return 'trouble';
  if (now.state === 'recording' && before.state === 'recording' && hasNewTrouble(before, now))
    return 'trouble';
  if (now.state === 'recording' && before.state !== 'recording') return 'start';
  if (now.state === 'review' && before.state !== 'review') return 'stop';
  if (now.discarded > before.discarded) return 'discarded';
  return now.kept > before.kept ? 'kept' : undefined;
}

function hasNewTrouble(before: AudibleStatus, now: AudibleStatus): boolean {
  const known = new Set(before.streams.filter(({ trouble }) => trouble).map(({ topic }) => topic));
  return now.streams.some(({ topic, trouble }) => trouble && !known.has(topic));
}
