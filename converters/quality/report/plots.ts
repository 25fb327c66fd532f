/** One line of a plot; undefined where there is nothing to draw. */
export interface Curve {
  readonly name: string;
  readonly points: readonly (number | undefined)[];
  /** Drawn as what should be. @default false */
  readonly isReference?: boolean;
}

export interface PlotOptions {
  readonly title: string;
  readonly unit: string;
  /** From one point to the next, seconds. */
  readonly stepSecs: number;
  readonly durationSecs: number;
  /** Stretches that findings point at, seconds. */
  readonly marks?: readonly { readonly from: number; readonly to: number; readonly text: string }[];
  /** Whether the axis begins at zero. @default false */
  readonly fromZero?: boolean;
}

const WIDTH = 720;
const HEIGHT = 96;
const LEFT = 46;
const BOTTOM = 16;
const TOP = 6;
const COLOURS = 8;

/** A plot over the episode's time as SVG; colours and fonts are the page's. */
export function plot(curves: readonly Curve[], options: PlotOptions): string {
  const { title, unit, stepSecs, durationSecs, marks = [], fromZero = false } = options;
  const values = curves.flatMap(({ points }) =>
    points.filter((value) => value !== undefined && Number.isFinite(value)),
  );
  if (values.length === 0) return '';
  const least = fromZero ? 0 : Math.min(...values.map(Number));
  const most = Math.max(...values.map(Number), least + 1e-9);
  const x = (secs: number) => LEFT + (secs / Math.max(durationSecs, 1e-9)) * (WIDTH - LEFT - 4);
  const y = (value: number) => TOP + (1 - (value - least) / (most - least)) * (HEIGHT - TOP - BOTTOM);
  const bands = marks.map(({ from, to, text }) => {
    const width = Math.max(2, x(Math.min(to, durationSecs)) - x(from)).toFixed(1);
    return `<rect class="mark" x="${x(from).toFixed(1)}" y="${TOP}" width="${width}" height="${HEIGHT - TOP - BOTTOM}"><title>${escapeHtml(text)}</title></rect>`;
  });
  const lines = curves.map(({ name, points, isReference }, i) => {
    const kind = isReference ? 'reference' : `c${i % COLOURS}`;
    const d = pathOf(points, (index) => x((index + 0.5) * stepSecs), y);
    return `<path class="line ${kind}" d="${d}"><title>${escapeHtml(name)}</title></path>`;
  });
  const names = curves.length > 1 ? curves.map(({ name }) => name).join(', ') : '';
  return `<figure><figcaption>${escapeHtml(title)}${names && ` <small>${escapeHtml(names)}</small>`}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(`${title} over time`)}">
${bands.join('')}${lines.join('')}
<line class="axis" x1="${LEFT}" x2="${WIDTH - 4}" y1="${HEIGHT - BOTTOM}" y2="${HEIGHT - BOTTOM}"/>
<text x="${LEFT - 4}" y="${TOP + 9}" text-anchor="end">${figure(most)}</text>
<text x="${LEFT - 4}" y="${HEIGHT - BOTTOM}" text-anchor="end">${figure(least)}</text>
<text x="${LEFT - 4}" y="${(HEIGHT - BOTTOM + TOP) / 2 + 4}" text-anchor="end">${escapeHtml(unit)}</text>
<text x="${LEFT}" y="${HEIGHT - 3}">0</text><text x="${WIDTH - 4}" y="${HEIGHT - 3}" text-anchor="end">${durationSecs.toFixed(1)} s</text>
</svg></figure>`;
}

function pathOf(
  points: readonly (number | undefined)[],
  x: (index: number) => number,
  y: (value: number) => number,
): string {
  let isDown = false;
  let path = '';
  for (let i = 0; i < points.length; i++) {
    const value = points[i];
    if (value === undefined || !Number.isFinite(value)) {
      isDown = false;
      continue;
    }
    path += `${isDown ? 'L' : 'M'}${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
    isDown = true;
  }
  return path;
}

function figure(value: number): string {
  return Math.abs(value) >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
