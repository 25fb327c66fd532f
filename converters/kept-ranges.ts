import type { SampleSettings } from '../schemas/contract.ts';
import type { CurrentLabels } from '../schemas/labels.ts';
import { secsToNanos, type TimeRange } from '../schemas/time.ts';

/**
 * The stretches of a recording that become episodes, log time, in order: what its trim label keeps, or all of it,
 * without what the contract cuts off both ends, the operator's pauses and the marks that it leaves out. Each is an
 * episode of its own, because over a hole positions would jump and actions would be wrong.
 */
export function keptRanges(
  recording: TimeRange,
  { trim, marks, pauses }: Pick<CurrentLabels, 'trim' | 'marks'> & { readonly pauses: readonly TimeRange[] },
  settings: SampleSettings,
): readonly TimeRange[] {
  const { leaveOut, trimStartSecs, trimEndSecs } = settings;
  const kept = trim?.label.ranges ?? [recording];
  const whole = {
    startTime: recording.startTime + secsToNanos(trimStartSecs),
    endTime: recording.endTime - secsToNanos(trimEndSecs),
  };
  let ranges = kept.flatMap((range) => overlap(range, whole));
  const marked = marks.map(({ label }) => label).filter(({ name }) => leaveOut.includes(name));
  for (const hole of [...marked, ...(settings.pauses === 'cut' ? pauses : [])]) {
    const before = { startTime: whole.startTime, endTime: hole.startTime };
    const after = { startTime: hole.endTime, endTime: whole.endTime };
    // An instant cuts nothing out.
    if (hole.startTime < hole.endTime) {
      ranges = ranges.flatMap((range) => [...overlap(range, before), ...overlap(range, after)]);
    }
  }
  return ranges;
}

/** What lies in both, if anything. */
function overlap(a: TimeRange, b: TimeRange): readonly TimeRange[] {
  const startTime = a.startTime > b.startTime ? a.startTime : b.startTime;
  const endTime = a.endTime < b.endTime ? a.endTime : b.endTime;
  return startTime < endTime ? [{ startTime, endTime }] : [];
}
