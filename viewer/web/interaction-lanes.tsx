import { type ArrayPlot, MIN_TOUCH, type Plot, type TimeLine, type TimePlot } from './series.ts';

/** A lane of the time line that is no stream. */
export interface NamedLane {
  readonly name: string;
  readonly lane: preact.ComponentChildren;
}

/** Touches closer than this are one, seconds: a single quiet sample is no release. */
const RELEASE_SECS = 0.05;
/** More points than this in a lane cannot be told apart. */
const MAX_POINTS = 800;

/** When fingertips touch and how the grippers stand, as far as the plots tell. */
export function interactionLanes(plots: readonly Plot[], durationSecs: number): readonly NamedLane[] {
  const contacts = plots
    .filter((plot): plot is ArrayPlot => plot.kind === 'array' && plot.isTouch)
    .map((plot) => ({ name: `contact ${plot.title}`, lane: <ContactLane {...{ plot, durationSecs }} /> }));
  const grippers = plots.flatMap((plot) => {
    if (plot.kind !== 'time') return [];
    const line = plot.lines.find(({ label }) => /gripper/i.test(label));
    return line ? [{ name: line.label, lane: <GripperLane {...{ plot, line, durationSecs }} /> }] : [];
  });
  return [...contacts, ...grippers];
}

function ContactLane({ plot, durationSecs }: { plot: ArrayPlot; durationSecs: number }) {
  return (
    <div class="lane contact">
      {touches(plot).map(([fromSecs, toSecs]) => (
        <span
          key={fromSecs}
          style={{ left: share(fromSecs, durationSecs), width: share(toSecs - fromSecs, durationSecs) }}
        />
      ))}
    </div>
  );
}

/** Its opening from the smallest to the largest of the episode; which of them is shut the numbers do not say. */
function GripperLane({ plot, line, durationSecs }: { plot: TimePlot; line: TimeLine; durationSecs: number }) {
  const known = line.values.filter((value) => value !== null);
  const [min, max] = known.reduce(
    ([a, b], value) => [Math.min(a, value), Math.max(b, value)],
    [Infinity, -Infinity],
  );
  const every = Math.max(1, Math.ceil(line.values.length / MAX_POINTS));
  const points = line.values.flatMap((value, i) => {
    if (value === null || i % every > 0) return [];
    return [`${plot.times[i]},${max > min ? 1 - (value - min) / (max - min) : 0.5}`];
  });
  return (
    <div class="lane gripper">
      <svg viewBox={`0 0 ${durationSecs} 1`} preserveAspectRatio="none" aria-hidden="true">
        <polyline points={points.join(' ')} vector-effect="non-scaling-stroke" />
      </svg>
    </div>
  );
}

/** When any taxel is pressed, seconds. */
function touches({ times, arrays }: ArrayPlot): readonly (readonly [number, number])[] {
  const spans: [number, number][] = [];
  for (const [i, array] of arrays.entries()) {
    if (!Array.from(array).some((value) => value >= MIN_TOUCH)) continue;
    const last = spans.at(-1);
    const time = times[i]!;
    if (last && time - last[1] <= RELEASE_SECS) last[1] = time;
    else spans.push([time, time]);
  }
  return spans;
}

function share(secs: number, durationSecs: number): string {
  return `${(100 * secs) / (durationSecs || 1)}%`;
}
