/** A picture's brightness, 0 to 255, [height, width], row-major. */
export interface Luma {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

export function meanOf(pixels: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < pixels.length; i++) sum += pixels[i]!;
  return sum / pixels.length;
}

/** Standard deviation of the brightness: contrast. */
export function deviationOf(pixels: Uint8Array): number {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < pixels.length; i++) {
    const value = pixels[i]!;
    sum += value;
    squares += value * value;
  }
  const mean = sum / pixels.length;
  return Math.sqrt(Math.max(0, squares / pixels.length - mean * mean));
}

/** Share of the pixels from `low` to `high`, both included. */
export function shareBetween(pixels: Uint8Array, low: number, high: number): number {
  let count = 0;
  for (let i = 0; i < pixels.length; i++) if (pixels[i]! >= low && pixels[i]! <= high) count++;
  return count / pixels.length;
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
  const [columns, rows] = [covers(width, toWidth), covers(height, toHeight)];
  const narrow = new Float64Array(toWidth * height);
  for (let y = 0; y < height; y++) {
    columns.forEach((cover, x) => {
      let sum = 0;
      for (const [at, weight] of cover) sum += pixels[y * width + at]! * weight;
      narrow[y * toWidth + x] = sum;
    });
  }
  const resized = new Float64Array(toWidth * toHeight);
  rows.forEach((cover, y) => {
    for (const [at, weight] of cover) {
      for (let x = 0; x < toWidth; x++) resized[y * toWidth + x]! += narrow[at * toWidth + x]! * weight;
    }
  });
  return resized;
}

/** The source pixels under each target pixel, with the share of each. */
function covers(size: number, count: number): readonly (readonly (readonly [number, number])[])[] {
  return Array.from({ length: count }, (_, i) => {
    const [from, to] = [(i * size) / count, ((i + 1) * size) / count];
    const under: [number, number][] = [];
    for (let at = Math.floor(from); at < Math.min(size, to); at++) {
      const overlap = Math.min(to, at + 1) - Math.max(from, at);
      if (overlap > 0) under.push([at, overlap / (to - from)]);
    }
    return under;
  });
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
