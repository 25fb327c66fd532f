import type { EpisodeFindings, EpisodeLabels } from '../api.ts';
import type { EpisodeTime } from './episode-time.ts';
import { formatClock } from './format.ts';
import { LaneSpan } from './lane-span.tsx';

interface Props {
  readonly labels: EpisodeLabels | undefined;
  readonly time: EpisodeTime;
  readonly onSeek: (secs: number) => void;
}

interface LabelProps extends Props {
  /** Where a mark was begun, seconds; undefined while none is open. */
  readonly openMarkSecs: number | undefined;
}

interface FindingProps extends Props {
  readonly report: NonNullable<EpisodeFindings['report']>;
}

/** What people marked and what they cut off, on the time line. */
export function LabelLane({ labels, time, openMarkSecs, onSeek }: LabelProps) {
  const { durationSecs } = time;
  const share = (secs: number) => `${(100 * secs) / (durationSecs || 1)}%`;
  return (
    <div class="lane labels">
      {cutOff(labels, time).map(([fromSecs, toSecs]) => (
        <span key={fromSecs} class="cut" style={{ left: share(fromSecs), width: share(toSecs - fromSecs) }} />
      ))}
      {openMarkSecs !== undefined && <span class="open-mark" style={{ left: share(openMarkSecs) }} />}
      {labels?.current.marks.map(({ id, author, label: { name, startTime, endTime } }) => {
        const [fromSecs, toSecs] = [time.secsAt(startTime), time.secsAt(endTime)];
        const end = toSecs > fromSecs ? ` to ${formatClock(toSecs)}` : '';
        return (
          <LaneSpan
            key={id}
            kind="mark"
            {...{ fromSecs, toSecs, durationSecs }}
            text={`${name} at ${formatClock(fromSecs)}${end}, by ${author}`}
            onPress={() => onSeek(fromSecs)}
          >
            {name}
          </LaneSpan>
        );
      })}
    </div>
  );
}

/** What the checks found and nobody waived, on the time line. */
export function FindingLane({ report, labels, time, onSeek }: FindingProps) {
  return (
    <div class="lane findings">
      {placedFindings(report, labels).map(({ id, status, reason, window }) => (
        <LaneSpan
          key={id}
          kind={`finding ${status}`}
          fromSecs={time.secsAt(window.startTime)}
          toSecs={time.secsAt(window.endTime)}
          durationSecs={time.durationSecs}
          text={`${id}: ${reason}`}
          onPress={() => onSeek(time.secsAt(window.startTime))}
        />
      ))}
    </div>
  );
}

/** What lies outside of the kept ranges, seconds. */
function cutOff(
  labels: EpisodeLabels | undefined,
  time: EpisodeTime,
): readonly (readonly [number, number])[] {
  const ranges = labels?.current.trim?.label.ranges;
  if (!ranges) return [];
  const edges = [0, ...ranges.flatMap((range) => [time.secsAt(range.startTime), time.secsAt(range.endTime)])];
  const cuts: [number, number][] = [];
  for (let i = 0; i < edges.length; i += 2) cuts.push([edges[i]!, edges[i + 1] ?? time.durationSecs]);
  return cuts.filter(([from, to]) => to > from);
}

/** Findings that ask to be looked at, at their places: neither passed nor waived. */
export function placedFindings(
  { findings }: NonNullable<EpisodeFindings['report']>,
  labels: EpisodeLabels | undefined,
) {
  const waived = new Set(labels?.current.waivers.map(({ label }) => label.finding));
  const placed = findings.flatMap(({ window, ...finding }) =>
    window && (finding.status === 'warn' || finding.status === 'fail') && !waived.has(finding.id)
      ? [{ ...finding, window, nanos: BigInt(window.endTime) - BigInt(window.startTime) }]
      : [],
  );
  // The short ones lie on top of the long ones.
  return placed.sort((a, b) => Number(b.nanos - a.nanos));
}
