import { expect, test } from 'vitest';
import { BAYER_PATTERNS, demosaic } from './bayer.ts';

const SIZE = { width: 6, height: 4 };

/** What a sensor with this pattern sees of a picture. */
function sense(
  pattern: readonly number[],
  picture: (x: number, y: number) => readonly number[],
  step = 8,
): Uint8Array {
  const data = new Uint8Array(SIZE.height * step).fill(99);
  for (let y = 0; y < SIZE.height; y++) {
    for (let x = 0; x < SIZE.width; x++) data[y * step + x] = picture(x, y)[pattern[(y & 1) * 2 + (x & 1)]!]!;
  }
  return data;
}

test.each(Object.entries(BAYER_PATTERNS))('demosaic() gives one colour back whole with %s', (_, pattern) => {
  const { pixels } = demosaic({ ...SIZE, step: 8, pattern, data: sense(pattern, () => [200, 100, 50]) });
  expect([...pixels]).toEqual(Array.from({ length: 24 }, () => [200, 100, 50]).flat());
});

test.each(Object.entries(BAYER_PATTERNS))(
  'demosaic() is exact inside an even slope with %s',
  (_, pattern) => {
    const slope = (x: number, y: number) => [10 * x + 4 * y, 100 + 8 * x - 6 * y, 200 - 2 * x - 8 * y];
    const { pixels } = demosaic({ ...SIZE, step: 8, pattern, data: sense(pattern, slope) });
    for (let y = 1; y < SIZE.height - 1; y++) {
      for (let x = 1; x < SIZE.width - 1; x++) {
        const at = (y * SIZE.width + x) * 3;
        expect([...pixels.subarray(at, at + 3)]).toEqual(slope(x, y));
      }
    }
  },
);

test('demosaic() takes the mean of what lies beside, as computed by hand', () => {
  // R G R      at the middle: the four reds' mean, the greens' mean, its own blue.
  // G B G
  // R G R
  const data = Uint8Array.of(10, 1, 20, 3, 77, 5, 30, 7, 41);
  const { pixels } = demosaic({ data, width: 3, height: 3, step: 3, pattern: BAYER_PATTERNS.bayer_rggb8! });
  expect([...pixels.subarray(12, 15)]).toEqual([25, 4, 77]);
  // In the corner: its own red, the two greens there are, the one blue.
  expect([...pixels.subarray(0, 3)]).toEqual([10, 2, 77]);
});
