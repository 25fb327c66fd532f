import { useEffect, useRef, useState } from 'preact/hooks';
import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { LossSpan } from './loss-span.ts';
import type { Replay } from './replay.ts';
import { indexAt, type TimePlot } from './series.ts';
import { useReplay } from './use-replay.ts';

interface Props {
  readonly replay: Replay;
  readonly plot: TimePlot;
  readonly startTime: bigint;
  readonly durationSecs: number;
  /** Whether the time axis is drawn under it. */
  readonly hasAxis: boolean;
  readonly onSeek: (secs: number) => void;
}

/** Told apart on dark and on light; no red, which means loss here. */
const PALETTE = [
  '#4a97d6',
  '#e29140',
  '#4fae7a',
  '#b67bd3',
  '#d3b33c',
  '#45b5ba',
  '#e07fae',
  '#8f97a6',
  '#7d8cf0',
];
const HEIGHT = 74;
/** Of the time axis under the last plot. */
const AXIS_HEIGHT = 20;

/** Lines over the whole episode with the values at the instant shown; a press or a drag seeks. */
export function TimePlotView({ replay, plot, startTime, durationSecs, hasAxis, onSeek }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<UPlot>(null);

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const height = hasAxis ? HEIGHT + AXIS_HEIGHT : HEIGHT;
    const made = new UPlot(optionsOf(plot, element, { durationSecs, height }), dataOf(plot), element);
    chart.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    const seek = ({ buttons, clientX }: PointerEvent) => {
      if (buttons !== 1) return;
      onSeek(made.posToVal(clientX - made.over.getBoundingClientRect().left, 'x'));
    };
    made.over.addEventListener('pointerdown', seek);
    made.over.addEventListener('pointermove', seek);
    const playhead = document.createElement('div');
    playhead.className = 'playhead';
    made.over.append(playhead);
    const move = () => {
      const secs = Number(replay.state.time - startTime) / 1e9;
      playhead.style.translate = `${made.valToPos(secs, 'x')}px 0`;
    };
    // The scale is known only once the chart has drawn itself.
    made.hooks.draw = [...(made.hooks.draw ?? []), move];
    const unlisten = replay.listen(move);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const recolour = () => made.redraw();
    scheme.addEventListener('change', recolour);
    return () => {
      scheme.removeEventListener('change', recolour);
      unlisten();
      resized.disconnect();
      made.destroy();
    };
  }, [plot, hasAxis]);

  const index = useReplay(replay, ({ time }) => indexAt(plot.times, Number(time - startTime) / 1e9));
  const live = useLiveValues(replay, plot);
  return (
    <figure class="plot">
      <figcaption>
        <span>{plot.title}</span>
        <ul>
          {plot.lines
            .filter(({ isCommand }) => !isCommand)
            .map(({ label, values, colour }, line) => (
              <li key={label}>
                <i style={{ background: colourOf(colour) }} />
                {label}{' '}
                <output>
                  {formatValue(plot.live && values[index] !== null ? live[line] : values[index])}
                </output>
              </li>
            ))}
        </ul>
      </figcaption>
      <div ref={box} />
    </figure>
  );
}

/** The values at the instant shown, from the messages themselves; none for a plot that has them all. */
function useLiveValues(replay: Replay, { live }: TimePlot): readonly number[] {
  const [values, setValues] = useState<readonly number[]>([]);
  useEffect(
    () => live && replay.onMessage(live.topic, ({ payload }) => setValues(live.read(payload))),
    [live],
  );
  return values;
}

function formatValue(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  return Math.abs(value) >= 100 ? value.toFixed(1) : value.toFixed(3);
}

function colourOf(index: number): string {
  return PALETTE[index % PALETTE.length]!;
}

function dataOf({ times, lines }: TimePlot): UPlot.AlignedData {
  return [[...times], ...lines.map(({ values }) => [...values])];
}

function optionsOf(
  plot: TimePlot,
  element: HTMLElement,
  { durationSecs, height }: { readonly durationSecs: number; readonly height: number },
): UPlot.Options {
  const theme = (name: string) => getComputedStyle(element).getPropertyValue(name).trim();
  const axis: UPlot.Axis = {
    stroke: () => theme('--muted'),
    font: '11px system-ui',
    grid: { stroke: () => theme('--grid'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height,
    padding: [4, 8, height > HEIGHT ? 0 : 4, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
    scales: { x: { time: false, range: [0, durationSecs] } },
    axes: [
      {
        ...axis,
        size: height - HEIGHT,
        gap: 2,
        values: (_, ticks) => (height > HEIGHT ? ticks.map((tick) => `${tick} s`) : []),
      },
      { ...axis, size: 44, gap: 4, space: 28 },
    ],
    series: [
      {},
      ...plot.lines.map(({ label, colour, isCommand }) => ({
        label,
        stroke: colourOf(colour),
        width: isCommand ? 1 : 1.5,
        alpha: isCommand ? 0.75 : 1,
        ...(isCommand && { dash: [5, 4] }),
        points: { show: false },
        spanGaps: false,
      })),
    ],
    hooks: { drawClear: [(chart) => drawLosses(chart, plot.losses, theme('--loss-area'))] },
  };
}

/** Red where messages are missing, from the top to the bottom of the plot. */
function drawLosses(chart: UPlot, losses: readonly LossSpan[], colour: string): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.fillStyle = colour;
  for (const { fromSecs, toSecs } of losses) {
    const left = chart.valToPos(fromSecs, 'x', true);
    ctx.fillRect(left, bbox.top, Math.max(2, chart.valToPos(toSecs, 'x', true) - left), bbox.height);
  }
  ctx.restore();
}
