/** A picture's brightness, 0 to 255, [height, width], row-major. */
export interface Luma {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

const LEVELS = 256;

export function meanOf(pixels: Uint8Array): number {
  const counts = histogramOf(pixels);
  let sum = 0;
  for (let value = 0; value < LEVELS; value++) sum += value * counts[value]!;
  return sum / pixels.length;
}

/** Standard deviation of the brightness: contrast. */
export function deviationOf(pixels: Uint8Array): number {
  const [counts, mean] = [histogramOf(pixels), meanOf(pixels)];
  let squares = 0;
  for (let value = 0; value < LEVELS; value++) squares += (value - mean) ** 2 * counts[value]!;
  return Math.sqrt(squares / pixels.length);
}

/** Share of the pixels from `low` to `high`, both included. */
export function shareBetween(pixels: Uint8Array, low: number, high: number): number {
  const counts = histogramOf(pixels);
  let count = 0;
  for (let value = low; value <= high; value++) count += counts[value]!;
  return count / pixels.length;
}

/** Several checks ask for figures of one picture; its pixels are counted once. */
const histograms = new WeakMap<Uint8Array, Uint32Array>();

function histogramOf(pixels: Uint8Array): Uint32Array {
  let counts = histograms.get(pixels);
  if (!counts) {
    counts = new Uint32Array(LEVELS);
    for (let i = 0; i < pixels.length; i++) counts[pixels[i]!]!++;
    histograms.set(pixels, counts);
  }
  return counts;
}

/** Mean absolute difference of two pictures of one size; infinite for two sizes. */
export function meanDifference(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!);
  return sum / a.length;
}

/** Variance of the Laplacian: the finer the detail, the higher. Comparable only for one camera at one size. */
export function sharpness({ pixels, width, height }: Luma): number {
  let [sum, squares, count] = [0, 0, 0];
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * width + 1, end = (y + 1) * width - 1; i < end; i++) {
      const value =
        pixels[i - width]! + pixels[i + width]! + pixels[i - 1]! + pixels[i + 1]! - 4 * pixels[i]!;
      sum += value;
      squares += value * value;
      count++;
    }
  }
  return count === 0 ? 0 : squares / count - (sum / count) ** 2;
}

/** Brings a picture to another size by the mean of the area that each new pixel covers; [height, width]. */
export function areaResize({ pixels, width, height }: Luma, toWidth: number, toHeight: number): Float64Array {
  const [columns, rows] = [coversOf(width, toWidth), coversOf(height, toHeight)];
  const narrow = new Float64Array(toWidth * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < toWidth; x++) {
      const start = columns.starts[x]!;
      let at = y * width + columns.firsts[x]!;
      let sum = 0;
      for (let i = start, end = columns.starts[x + 1]!; i < end; i++)
        sum += pixels[at++]! * columns.weights[i]!;
      narrow[y * toWidth + x] = sum;
    }
  }
  const resized = new Float64Array(toWidth * toHeight);
  for (let y = 0; y < toHeight; y++) {
    const [start, end] = [rows.starts[y]!, rows.starts[y + 1]!];
    for (let i = start; i < end; i++) {
      const weight = rows.weights[i]!;
      const from = (rows.firsts[y]! + i - start) * toWidth;
      for (let x = 0; x < toWidth; x++) resized[y * toWidth + x]! += narrow[from + x]! * weight;
    }
  }
  return resized;
}

/** Which neighbouring source pixels lie under each target pixel, and the share of each. */
interface Covers {
  /** Of each target pixel: its first source pixel. */
  readonly firsts: Int32Array;
  /** Where the weights of each target pixel begin; one more than there are. */
  readonly starts: Int32Array;
  readonly weights: Float64Array;
}

/** By both sizes: the pictures of a camera are of one. */
const knownCovers = new Map<string, Covers>();

function coversOf(size: number, count: number): Covers {
  const key = `${size}/${count}`;
  let covers = knownCovers.get(key);
  if (!covers) {
    covers = measureCovers(size, count);
    knownCovers.set(key, covers);
  }
  return covers;
}

function measureCovers(size: number, count: number): Covers {
  const [firsts, starts] = [new Int32Array(count), new Int32Array(count + 1)];
  const weights: number[] = [];
  for (let i = 0; i < count; i++) {
    const [from, to] = [(i * size) / count, ((i + 1) * size) / count];
    firsts[i] = Math.floor(from);
    for (let at = firsts[i]!; at < Math.min(size, to); at++) {
      weights.push((Math.min(to, at + 1) - Math.max(from, at)) / (to - from));
    }
    starts[i + 1] = weights.length;
  }
  return { firsts, starts, weights: Float64Array.from(weights) };
}

/** Difference hash of 64 bits as 16 hex digits: nearly equal for nearly equal views, whatever the light. */
export function differenceHash(luma: Luma): string {
  const small = areaResize(luma, 9, 8);
  let hash = '';
  for (let y = 0; y < 8; y++) {
    let byte = 0;
    for (let x = 0; x < 8; x++) byte = (byte << 1) | (small[y * 9 + x]! < small[y * 9 + x + 1]! ? 1 : 0);
    hash += byte.toString(16).padStart(2, '0');
  }
  return hash;
}

/** Number of bits in which two hashes differ. */
export function hashDistance(a: string, b: string): number {
  let differing = BigInt(`0x${a}`) ^ BigInt(`0x${b}`);
  let count = 0;
  for (; differing > 0n; differing >>= 1n) count += Number(differing & 1n);
  return count;
}
