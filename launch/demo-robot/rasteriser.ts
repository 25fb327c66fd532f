import type { Color } from './link.ts';

/** Pinhole camera without distortion; pixel centres lie at whole coordinates. */
export interface Intrinsics {
  readonly width: number;
  readonly height: number;
  /** Focal length in pixels, both ways. */
  readonly focal: number;
}

export function principalPoint({ width, height }: Intrinsics): readonly [number, number] {
  return [(width - 1) / 2, (height - 1) / 2];
}

/** How the pixels of a triangle get their colour. */
export type Paint =
  | { readonly kind: 'solid'; readonly color: Color }
  /** Two colours in squares of this edge, metres, over the texture coordinates. */
  | { readonly kind: 'checker'; readonly colors: readonly [Color, Color]; readonly edge: number }
  /** Darkens what lies at the same depth, each pixel once. */
  | { readonly kind: 'shadow'; readonly factor: number };

/** A corner in the camera's optical frame: metres, brightness, texture coordinates in metres. */
export type Vertex = readonly [x: number, y: number, z: number, shade: number, u: number, v: number];

/** Nothing nearer than this is drawn. */
const NEAR = 0.01;
/** Relative difference in depth up to which a shadow lies on a surface. */
const SAME_DEPTH = 0.004;

/** Draws triangles into a picture with a depth buffer; the nearest one wins. */
export class Rasteriser {
  readonly intrinsics: Intrinsics;
  /** [height, width, 3] uint8 RGB, row-major. */
  readonly pixels: Uint8ClampedArray;
  /** One over the depth in metres; 0 where nothing was drawn. */
  readonly depth: Float32Array;
  readonly #shadowed: Uint8Array;

  constructor(intrinsics: Intrinsics) {
    this.intrinsics = intrinsics;
    const count = intrinsics.width * intrinsics.height;
    this.pixels = new Uint8ClampedArray(count * 3);
    this.depth = new Float32Array(count);
    this.#shadowed = new Uint8Array(count);
  }

  /** Forgets the picture and paints every row of the background. */
  clear(rowColor: (row: number) => Color): void {
    const { width, height } = this.intrinsics;
    this.depth.fill(0);
    this.#shadowed.fill(0);
    for (let row = 0; row < height; row++) {
      const [r, g, b] = rowColor(row);
      for (let at = row * width * 3; at < (row + 1) * width * 3; at += 3) {
        this.pixels[at] = r * 255;
        this.pixels[at + 1] = g * 255;
        this.pixels[at + 2] = b * 255;
      }
    }
  }

  /** Draws a triangle whose corners are counter-clockwise as the camera sees them; others are invisible. */
  triangle(a: Vertex, b: Vertex, c: Vertex, paint: Paint): void {
    const corners = [a, b, c].every(([, , z]) => z >= NEAR) ? [a, b, c] : clipNear([a, b, c]);
    for (let i = 2; i < corners.length; i++) this.#fill(corners[0]!, corners[i - 1]!, corners[i]!, paint);
  }

  #fill(a: Vertex, b: Vertex, c: Vertex, paint: Paint): void {
    const { width, height, focal } = this.intrinsics;
    const [cx, cy] = principalPoint(this.intrinsics);
    const [ia, ib, ic] = [1 / a[2], 1 / b[2], 1 / c[2]];
    const [ax, ay] = [a[0] * ia * focal + cx, a[1] * ia * focal + cy];
    const [bx, by] = [b[0] * ib * focal + cx, b[1] * ib * focal + cy];
    const [px, py] = [c[0] * ic * focal + cx, c[1] * ic * focal + cy];
    // Rows grow downwards, so what the eye sees counter-clockwise has a negative area here.
    const area = (bx - ax) * (py - ay) - (px - ax) * (by - ay);
    if (area >= 0 && paint.kind !== 'shadow') return;
    if (area === 0) return;
    const firstRow = Math.max(0, Math.ceil(Math.min(ay, by, py)));
    const lastRow = Math.min(height - 1, Math.floor(Math.max(ay, by, py)));
    // Barycentric weights are linear over the screen: weight(x, y) = wx * x + wy * y + w0.
    const wbx = (py - ay) / area;
    const wby = -(px - ax) / area;
    const wcx = -(by - ay) / area;
    const wcy = (bx - ax) / area;
    const depthStep = (ib - ia) * wbx + (ic - ia) * wcx;
    const shadeStep = (b[3] - a[3]) * wbx + (c[3] - a[3]) * wcx;
    for (let row = firstRow; row <= lastRow; row++) {
      const wb0 = wby * (row - ay) - wbx * ax;
      const wc0 = wcy * (row - ay) - wcx * ax;
      // The weights of b and c, and what they leave for a, must not be negative: three bounds on x.
      let [from, to] = [0, width - 1];
      for (const [slope, offset] of [
        [wbx, wb0],
        [wcx, wc0],
        [-wbx - wcx, 1 - wb0 - wc0],
      ] as const) {
        if (slope > 0) from = Math.max(from, Math.ceil(-offset / slope));
        else if (slope < 0) to = Math.min(to, Math.floor(-offset / slope));
        else if (offset < 0) to = -1;
      }
      if (from > to) continue;
      const wb = wb0 + wbx * from;
      const wc = wc0 + wcx * from;
      const depth = ia + (ib - ia) * wb + (ic - ia) * wc;
      const first = row * width + from;
      const count = to - from + 1;
      switch (paint.kind) {
        case 'solid': {
          const shade = a[3] + (b[3] - a[3]) * wb + (c[3] - a[3]) * wc;
          this.#solidSpan(first, count, depth, depthStep, shade, shadeStep, paint.color);
          break;
        }
        case 'checker': {
          const [ua, ub, uc] = [a[4] * ia, b[4] * ib, c[4] * ic];
          const [va, vb, vc] = [a[5] * ia, b[5] * ib, c[5] * ic];
          const u = ua + (ub - ua) * wb + (uc - ua) * wc;
          const v = va + (vb - va) * wb + (vc - va) * wc;
          const uStep = (ub - ua) * wbx + (uc - ua) * wcx;
          const vStep = (vb - va) * wbx + (vc - va) * wcx;
          this.#checkerSpan(first, count, depth, depthStep, { u, uStep, v, vStep, shade: a[3], paint });
          break;
        }
        case 'shadow':
          this.#shadowSpan(first, count, depth, depthStep, paint.factor);
          break;
        default:
          paint satisfies never;
      }
    }
  }

  #solidSpan(
    first: number,
    count: number,
    depthFrom: number,
    depthStep: number,
    shadeFrom: number,
    shadeStep: number,
    [r, g, b]: Color,
  ): void {
    let [depth, shade] = [depthFrom, shadeFrom * 255];
    for (let at = first; at < first + count; at++) {
      if (depth > this.depth[at]!) {
        this.depth[at] = depth;
        this.pixels[at * 3] = r * shade;
        this.pixels[at * 3 + 1] = g * shade;
        this.pixels[at * 3 + 2] = b * shade;
      }
      depth += depthStep;
      shade += shadeStep * 255;
    }
  }

  #checkerSpan(
    first: number,
    count: number,
    depthFrom: number,
    depthStep: number,
    texture: {
      readonly u: number;
      readonly uStep: number;
      readonly v: number;
      readonly vStep: number;
      readonly shade: number;
      readonly paint: Extract<Paint, { kind: 'checker' }>;
    },
  ): void {
    const { uStep, vStep, shade, paint } = texture;
    let [depth, u, v] = [depthFrom, texture.u, texture.v];
    for (let at = first; at < first + count; at++) {
      if (depth > this.depth[at]!) {
        this.depth[at] = depth;
        const squares = depth * paint.edge;
        const color = paint.colors[(Math.floor(u / squares) + Math.floor(v / squares)) & 1]!;
        this.pixels[at * 3] = color[0] * shade * 255;
        this.pixels[at * 3 + 1] = color[1] * shade * 255;
        this.pixels[at * 3 + 2] = color[2] * shade * 255;
      }
      depth += depthStep;
      u += uStep;
      v += vStep;
    }
  }

  #shadowSpan(first: number, count: number, depthFrom: number, depthStep: number, factor: number): void {
    let depth = depthFrom;
    for (let at = first; at < first + count; at++) {
      const surface = this.depth[at]!;
      if (Math.abs(depth - surface) < SAME_DEPTH * surface && this.#shadowed[at] === 0) {
        this.#shadowed[at] = 1;
        for (let channel = at * 3; channel < at * 3 + 3; channel++) this.pixels[channel]! *= factor;
      }
      depth += depthStep;
    }
  }
}

/** What of a convex polygon lies in front of the near plane. */
function clipNear(corners: readonly Vertex[]): Vertex[] {
  return corners.flatMap((corner, i): Vertex[] => {
    const next = corners[(i + 1) % corners.length]!;
    const kept = corner[2] >= NEAR ? [corner] : [];
    if (corner[2] >= NEAR === next[2] >= NEAR) return kept;
    const share = (NEAR - corner[2]) / (next[2] - corner[2]);
    const mix = (at: 0 | 1 | 2 | 3 | 4 | 5) => corner[at] + (next[at] - corner[at]) * share;
    return [...kept, [mix(0), mix(1), NEAR, mix(3), mix(4), mix(5)]];
  });
}
