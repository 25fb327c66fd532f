import type { RgbImage } from '../schemas/image-codec.ts';

/** Colours of the sensor's four repeating cells as positions in RGB: top left, top right, bottom left, bottom right. */
export const BAYER_PATTERNS: Readonly<Record<string, readonly [number, number, number, number]>> = {
  bayer_rggb8: [0, 1, 1, 2],
  bayer_bggr8: [2, 1, 1, 0],
  bayer_gbrg8: [1, 2, 0, 1],
  bayer_grbg8: [1, 0, 2, 1],
};

/** A picture as the sensor has it: one colour for each pixel. */
export interface BayerImage {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** Bytes from one row to the next. */
  readonly step: number;
  /** Of {@link BAYER_PATTERNS}. */
  readonly pattern: readonly number[];
}

/**
 * Fills in the two colours that each pixel lacks with the mean of those beside it (bilinear): at the border of
 * those that there are.
 */
export function demosaic({ data, width, height, step, pattern }: BayerImage): RgbImage {
  const pixels = new Uint8Array(width * height * 3);
  const sums = [0, 0, 0];
  const counts = [0, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      sums.fill(0);
      counts.fill(0);
      for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
        for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++) {
          const colour = pattern[(row & 1) * 2 + (column & 1)]!;
          sums[colour]! += data[row * step + column]!;
          counts[colour]!++;
        }
      }
      const to = (y * width + x) * 3;
      for (let colour = 0; colour < 3; colour++) {
        pixels[to + colour] = counts[colour]! > 0 ? Math.round(sums[colour]! / counts[colour]!) : 0;
      }
      pixels[to + pattern[(y & 1) * 2 + (x & 1)]!] = data[y * step + x]!;
    }
  }
  return { pixels, width, height };
}
