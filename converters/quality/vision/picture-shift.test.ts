import { expect, test } from 'vitest';
import { encodeJpeg } from '../../../schemas/image-codec.ts';
import { jpegQuality } from './jpeg-quality.ts';
import { pictureShift, pictureSpectrum } from './picture-shift.ts';

/** A room with detail at all scales, seen by a camera turned by some pixels of 640. */
function view(dx: number, dy: number, gain = 1) {
  const [width, height] = [320, 240];
  const pixels = Uint8Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [(i % width) + dx / 2, Math.floor(i / width) + dy / 2];
    return gain * (40 * lattice(x / 5, y / 5) + 60 * lattice(x / 17, y / 17) + 100 * lattice(x / 61, y / 61));
  });
  return pictureSpectrum({ pixels, width, height });
}

/** Smooth noise, 0 to 1, one value per lattice point. */
function lattice(x: number, y: number): number {
  const [u, v] = [Math.floor(x), Math.floor(y)];
  const value = (a: number, b: number) => Math.abs(Math.sin(a * 127.1 + b * 311.7) * 43758.5453) % 1;
  const mix = (a: number, b: number, t: number) => a + (b - a) * t * t * (3 - 2 * t);
  return mix(
    mix(value(u, v), value(u + 1, v), x - u),
    mix(value(u, v + 1), value(u + 1, v + 1), x - u),
    y - v,
  );
}

test.each([
  [0, 0],
  [3, 0],
  [0, 5],
  [8, -6],
])('pictureShift() measures a turn by (%d, %d) pixels of 640 to half a pixel', (dx, dy) => {
  const shift = pictureShift(view(0, 0), view(dx, dy));
  expect(Math.abs(shift.pixels - Math.hypot(dx, dy))).toBeLessThan(1);
  expect(shift.agreement).toBeGreaterThan(0.05);
});

test('pictureShift() does not mind another exposure', () => {
  expect(pictureShift(view(0, 0), view(0, 0, 0.7)).pixels).toBeLessThan(0.5);
});

test.each([20, 50, 75, 88, 95])('jpegQuality() reads quality %d from the tables', async (quality) => {
  const image = { pixels: new Uint8Array(16 * 16 * 3), width: 16, height: 16 };
  expect(Math.abs(jpegQuality(await encodeJpeg(image, quality))! - quality)).toBeLessThanOrEqual(1);
});

test.each([[new Uint8Array()], [new Uint8Array(40)], [Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 4)]])(
  'jpegQuality() is undefined for %o',
  (bytes) => {
    expect(jpegQuality(bytes)).toBeUndefined();
  },
);
