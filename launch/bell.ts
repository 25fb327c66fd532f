import type { RecordingControl } from '../schemas/recording-control.ts';
import { cueOf, type RecordingCue } from '../schemas/recording-cues.ts';

/** How often the terminal rings; it has one sound only. */
const RINGS: Readonly<Record<RecordingCue, number>> = {
  start: 1,
  stop: 2,
  kept: 1,
  discarded: 2,
  trouble: 4,
};
/** Rings that are closer together are heard as one. */
const RING_MILLIS = 180;
const LOOK_MILLIS = 250;

/**
 * Lets the operator hear what happens to a recording session.
 *
 * @param ring sounds the terminal's bell once.
 * @returns ends it.
 */
export function ringFor(session: RecordingControl, ring: () => void): () => void {
  let before = session.status();
  let due = 0;
  const look = () => {
    const now = session.status();
    const cue = cueOf(before, now);
    before = now;
    if (cue) due = RINGS[cue];
  };
  const unlisten = session.listen(look);
  const looking = setInterval(look, LOOK_MILLIS).unref();
  const ringing = setInterval(() => {
    if (due > 0) ring();
    due = Math.max(0, due - 1);
  }, RING_MILLIS).unref();
  return () => {
    unlisten();
    clearInterval(looking);
    clearInterval(ringing);
  };
}
