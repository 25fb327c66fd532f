import { useEffect, useRef } from 'preact/hooks';
import type { Replay } from './replay.ts';
import { type ArrayPlot, indexAt } from './series.ts';
import { useReplay } from './use-replay.ts';

/** An array of numbers as coloured squares, on one scale for the whole episode. */
export function HeatMap({ replay, plot, startTime }: { replay: Replay; plot: ArrayPlot; startTime: bigint }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const index = useReplay(replay, ({ time }) => indexAt(plot.times, Number(time - startTime) / 1e9));
  const array = plot.arrays[Math.max(0, index)];
  const peak = array?.length ? Math.max(...Array.from(array)) : 0;

  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context || !array) return;
    const picture = context.createImageData(plot.cols, plot.rows);
    for (let i = 0; i < array.length; i++) {
      const share = plot.max > plot.min ? (array[i]! - plot.min) / (plot.max - plot.min) : 0;
      picture.data.set(colourOf(share), 4 * i);
    }
    context.putImageData(picture, 0, 0);
  }, [array, plot]);

  return (
    <figure class="heat-map">
      <canvas
        ref={canvas}
        width={plot.cols}
        height={plot.rows}
        style={{ aspectRatio: `${plot.cols} / ${plot.rows}` }}
        role="img"
        aria-label={`${plot.title}: largest value ${peak.toFixed(3)}`}
      />
      <figcaption>
        <span>{plot.title}</span>
        <output>
          {peak.toFixed(3)} <small>of {plot.max.toFixed(3)}</small>
        </output>
      </figcaption>
    </figure>
  );
}

/** From dark blue over teal to yellow: ordered in brightness, so that it reads without colour vision too. */
const STOPS = [
  [30, 34, 66],
  [38, 84, 124],
  [42, 140, 130],
  [134, 194, 92],
  [250, 226, 88],
] as const;

function colourOf(share: number): readonly [number, number, number, number] {
  const at = Math.min(Math.max(share, 0), 1) * (STOPS.length - 1);
  const low = Math.min(Math.floor(at), STOPS.length - 2);
  const [from, to] = [STOPS[low]!, STOPS[low + 1]!];
  const mix = (i: 0 | 1 | 2) => from[i] + (to[i] - from[i]) * (at - low);
  return [mix(0), mix(1), mix(2), 255];
}
