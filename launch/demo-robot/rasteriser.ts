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

/** How the pixels of a triangle get their colour; brightness lies between 0 and 1. */
export type Paint =
  | { readonly kind: 'solid'; readonly color: Color }
  /** Two colours in squares of this edge, metres, over the texture coordinates; brightness of one corner. */
  | { readonly kind: 'checker'; readonly colors: readonly [Color, Color]; readonly edge: number }
  /** Darkens what lies at the same depth, each pixel once. */
  | { readonly kind: 'shadow'; readonly factor: number };

/**
 * Numbers per vertex: x, y, z in the camera's optical frame (metres), brightness, and two texture
 * coordinates (metres).
 */
export const VERTEX_SIZE = 6;

/** Samples per pixel, each way: smooth edges for four times the filling. */
const SAMPLES = 2;
/** Nothing nearer than this is drawn. */
const NEAR = 0.01;
/** Squares of a checker on the negative side: with this many more, cutting off the fraction rounds down. */
const OFFSET = 1024;
/** Relative difference in depth up to which a shadow lies on a surface. */
const SAME_DEPTH = 0.004;

/** Draws triangles into a picture with a depth buffer; the nearest one wins. */
export class Rasteriser {
  readonly intrinsics: Intrinsics;
  readonly #width: number;
  readonly #height: number;
  /** [height, width] samples, 0x00bbggrr. */
  readonly #samples: Int32Array;
  /** One over the depth in metres; 0 where nothing was drawn. */
  readonly #depth: Float32Array;
  readonly #shadowed: Uint8Array;
  /** A triangle, and room for the polygon that the near plane leaves of it. */
  #polygon = new Float64Array(4 * VERTEX_SIZE);

  constructor(intrinsics: Intrinsics) {
    this.intrinsics = intrinsics;
    this.#width = intrinsics.width * SAMPLES;
    this.#height = intrinsics.height * SAMPLES;
    this.#samples = new Int32Array(this.#width * this.#height);
    this.#depth = new Float32Array(this.#samples.length);
    this.#shadowed = new Uint8Array(this.#samples.length);
  }

  /** Forgets the picture and paints the background, row by row of the picture. */
  clear(rowColor: (row: number) => Color): void {
    this.#depth.fill(0);
    this.#shadowed.fill(0);
    for (let row = 0; row < this.#height; row++) {
      const color = pack(rowColor((row + 0.5) / SAMPLES - 0.5), 1);
      this.#samples.fill(color, row * this.#width, (row + 1) * this.#width);
    }
  }

  /**
   * Draws triangles whose corners are counter-clockwise as the camera sees them; others are invisible.
   *
   * @param vertices {@link VERTEX_SIZE} numbers each.
   * @param triangles three indices of vertices each.
   */
  draw(vertices: Float64Array, triangles: Uint16Array, paint: Paint): void {
    const polygon = this.#polygon;
    for (let i = 0; i < triangles.length; i += 3) {
      let behind = 0;
      for (let corner = 0; corner < 3; corner++) {
        const from = triangles[i + corner]! * VERTEX_SIZE;
        for (let k = 0; k < VERTEX_SIZE; k++) polygon[corner * VERTEX_SIZE + k] = vertices[from + k]!;
        if (vertices[from + 2]! < NEAR) behind++;
      }
      if (behind === 3) continue;
      const corners = behind === 0 ? 3 : clipNear(polygon);
      for (let corner = 2; corner < corners; corner++) this.#fill(corner - 1, corner, paint);
    }
  }

  /**
   * The picture, [height, width, 3] uint8 RGB, row-major.
   *
   * @param noise added to every value in turn, over and over; its length is a power of two.
   */
  resolve(noise: Int8Array, noiseOffset: number): Uint8ClampedArray<ArrayBuffer> {
    const { width, height } = this.intrinsics;
    const pixels = new Uint8ClampedArray(width * height * 3);
    const [samples, below, mask] = [this.#samples, this.#width, noise.length - 1];
    let out = 0;
    for (let row = 0; row < height; row++) {
      const end = (row * SAMPLES + 1) * below;
      for (let at = row * SAMPLES * below; at < end; at += SAMPLES, out += 3) {
        const a = samples[at]!;
        const b = samples[at + 1]!;
        const c = samples[at + below]!;
        const d = samples[at + below + 1]!;
        // Red and blue in one sum: their bytes lie far enough apart.
        const ends = (a & 0xff00ff) + (b & 0xff00ff) + (c & 0xff00ff) + (d & 0xff00ff);
        const green = (a & 0xff00) + (b & 0xff00) + (c & 0xff00) + (d & 0xff00);
        pixels[out] = ((ends & 0xffff) >> 2) + noise[(noiseOffset + out) & mask]!;
        pixels[out + 1] = (green >> 10) + noise[(noiseOffset + out + 1) & mask]!;
        pixels[out + 2] = (ends >> 18) + noise[(noiseOffset + out + 2) & mask]!;
      }
    }
    return pixels;
  }

  /** Fills the triangle of the polygon's first corner and two others. */
  #fill(second: number, third: number, paint: Paint): void {
    // Runs for every triangle: no array that a destructuring would make.
    const width = this.#width;
    const height = this.#height;
    const focal = this.intrinsics.focal * SAMPLES;
    const cx = (width - 1) / 2;
    const cy = (height - 1) / 2;
    const samples = this.#samples;
    const depths = this.#depth;
    const polygon = this.#polygon;
    const b = second * VERTEX_SIZE;
    const c = third * VERTEX_SIZE;
    const ia = 1 / polygon[2]!;
    const ib = 1 / polygon[b + 2]!;
    const ic = 1 / polygon[c + 2]!;
    const ax = polygon[0]! * ia * focal + cx;
    const ay = polygon[1]! * ia * focal + cy;
    const bx = polygon[b]! * ib * focal + cx;
    const by = polygon[b + 1]! * ib * focal + cy;
    const px = polygon[c]! * ic * focal + cx;
    const py = polygon[c + 1]! * ic * focal + cy;
    // Rows grow downwards, so what the eye sees counter-clockwise has a negative area here.
    const area = (bx - ax) * (py - ay) - (px - ax) * (by - ay);
    if (area >= 0) return;
    // The weights of b and c are linear over the screen; a has what they leave of 1.
    const bStep = (py - ay) / area;
    const cStep = (ay - by) / area;
    const depthStep = (ib - ia) * bStep + (ic - ia) * cStep;
    const lastRow = Math.min(height - 1, Math.floor(Math.max(ay, by, py)));
    for (let row = Math.max(0, Math.ceil(Math.min(ay, by, py))); row <= lastRow; row++) {
      const b0 = ((ax - px) * (row - ay)) / area - bStep * ax;
      const c0 = ((bx - ax) * (row - ay)) / area - cStep * ax;
      // No weight may be negative: each bounds the columns on one side.
      const from = Math.max(0, firstOf(b0, bStep), firstOf(c0, cStep), firstOf(1 - b0 - c0, -bStep - cStep));
      const to = Math.min(
        width - 1,
        lastOf(b0, bStep),
        lastOf(c0, cStep),
        lastOf(1 - b0 - c0, -bStep - cStep),
      );
      if (from > to) continue;
      const wb = b0 + bStep * from;
      const wc = c0 + cStep * from;
      let depth = ia + (ib - ia) * wb + (ic - ia) * wc;
      const end = row * width + to;
      let at = row * width + from;
      switch (paint.kind) {
        case 'solid': {
          const sa = polygon[3]!;
          const sb = polygon[b + 3]!;
          const sc = polygon[c + 3]!;
          const shadeStep = (sb - sa) * bStep + (sc - sa) * cStep;
          let shade = sa + (sb - sa) * wb + (sc - sa) * wc;
          for (; at <= end; at++, depth += depthStep, shade += shadeStep) {
            if (depth <= depths[at]!) continue;
            depths[at] = depth;
            samples[at] = pack(paint.color, shade);
          }
          break;
        }
        case 'checker': {
          // Divided by the depth and counted in squares, texture coordinates are linear over the screen too.
          const ea = ia / paint.edge;
          const eb = ib / paint.edge;
          const ec = ic / paint.edge;
          const ua = polygon[4]! * ea;
          const ub = polygon[b + 4]! * eb;
          const uc = polygon[c + 4]! * ec;
          const va = polygon[5]! * ea;
          const vb = polygon[b + 5]! * eb;
          const vc = polygon[c + 5]! * ec;
          const uStep = (ub - ua) * bStep + (uc - ua) * cStep;
          const vStep = (vb - va) * bStep + (vc - va) * cStep;
          let u = ua + (ub - ua) * wb + (uc - ua) * wc;
          let v = va + (vb - va) * wb + (vc - va) * wc;
          const even = pack(paint.colors[0], polygon[3]!);
          const odd = pack(paint.colors[1], polygon[3]!);
          for (; at <= end; at++, depth += depthStep, u += uStep, v += vStep) {
            if (depth <= depths[at]!) continue;
            depths[at] = depth;
            const distance = 1 / depth;
            const squares = ((u * distance + OFFSET) | 0) + ((v * distance + OFFSET) | 0);
            samples[at] = (squares & 1) === 0 ? even : odd;
          }
          break;
        }
        case 'shadow':
          for (; at <= end; at++, depth += depthStep) {
            const surface = depths[at]!;
            if (this.#shadowed[at] === 1 || Math.abs(depth - surface) >= SAME_DEPTH * surface) continue;
            this.#shadowed[at] = 1;
            samples[at] = darken(samples[at]!, paint.factor);
          }
          break;
        default:
          paint satisfies never;
      }
    }
  }
}

/** First column at which a weight that begins with this value and grows by this step is not negative. */
function firstOf(value: number, step: number): number {
  if (step > 0) return Math.ceil(-value / step);
  return step === 0 && value < 0 ? Number.POSITIVE_INFINITY : 0;
}

/** Last column at which such a weight is not negative. */
function lastOf(value: number, step: number): number {
  return step < 0 ? Math.floor(-value / step) : Number.POSITIVE_INFINITY;
}

function pack([r, g, b]: Color, shade: number): number {
  const bright = shade * 255;
  return (r * bright) | ((g * bright) << 8) | ((b * bright) << 16);
}

function darken(color: number, factor: number): number {
  const share = Math.round(factor * 256);
  const ends = (((color & 0xff00ff) * share) >>> 8) & 0xff00ff;
  return ends | ((((color & 0xff00) * share) >>> 8) & 0xff00);
}

/** Cuts a triangle off at the near plane, in place; gives the number of corners left. */
function clipNear(polygon: Float64Array): number {
  const triangle = polygon.slice(0, 3 * VERTEX_SIZE);
  let count = 0;
  for (let corner = 0; corner < 3; corner++) {
    const at = corner * VERTEX_SIZE;
    const next = ((corner + 1) % 3) * VERTEX_SIZE;
    const [z, nextZ] = [triangle[at + 2]!, triangle[next + 2]!];
    if (z >= NEAR) polygon.set(triangle.subarray(at, at + VERTEX_SIZE), count++ * VERTEX_SIZE);
    if (z >= NEAR === nextZ >= NEAR) continue;
    const share = (NEAR - z) / (nextZ - z);
    for (let k = 0; k < VERTEX_SIZE; k++) {
      polygon[count * VERTEX_SIZE + k] =
        triangle[at + k]! + (triangle[next + k]! - triangle[at + k]!) * share;
    }
    count++;
  }
  return count;
}
