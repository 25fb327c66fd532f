import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type RgbImage, resizeRgb } from '../schemas/image-codec.ts';
import { nearestPixels, type PictureSize, pictureMap, scaledIntrinsics } from './picture-geometry.ts';

/** Every pixel of a column has 55 plus the column's number, so that bars are told from the picture. */
function ramp(width: number, height: number): RgbImage {
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < pixels.length; i++) pixels[i] = 55 + (Math.floor(i / 3) % width);
  return { pixels, width, height };
}

test('pictureMap() says where resizing puts every column', async () => {
  const sizes = fc.integer({ min: 20, max: 200 });
  await fc.assert(
    fc.asyncProperty(
      fc.record({ width: sizes, height: sizes }),
      fc.record<PictureSize>({
        width: sizes,
        height: sizes,
        fit: fc.constantFrom('stretch', 'letterbox', 'crop'),
        crop: fc.option(fc.constant({ x: 3, y: 2, width: 16, height: 17 }), { nil: undefined }),
      }),
      async (source, size) => {
        const { x } = pictureMap(source, size);
        const { pixels } = await resizeRgb(ramp(source.width, source.height), size);
        const row = Math.floor(size.height / 2) * size.width;
        for (let column = 0; column < size.width; column++) {
          const shown = pixels[(row + column) * 3]!;
          if (column < x.start || column >= x.end) expect(shown).toBe(0);
          else {
            // The middle of a column in the source; at the edges the kernel has nothing to mix with.
            const expected = 55 + (column + 0.5 - x.offset) / x.scale - 0.5;
            expect(Math.abs(shown - expected)).toBeLessThan(1.6);
          }
        }
      },
    ),
    { seed: 4, numRuns: 60 },
  );
});

test('nearestPixels() takes the pixel under the centre, and none in the bars', () => {
  const map = (size: PictureSize) => {
    const { x } = pictureMap({ width: 4, height: 2 }, size);
    return [...nearestPixels(x, size.width)];
  };
  expect(map({ width: 2, height: 1, fit: 'stretch' })).toEqual([1, 3]);
  expect(map({ width: 8, height: 2, fit: 'stretch' })).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  expect(map({ width: 8, height: 2, fit: 'letterbox' })).toEqual([-1, -1, 0, 1, 2, 3, -1, -1]);
  expect(map({ width: 2, height: 2, fit: 'crop' })).toEqual([1, 2]);
  expect(map({ width: 2, height: 2, fit: 'stretch', crop: { x: 2, y: 0, width: 2, height: 2 } })).toEqual([
    2, 3,
  ]);
});

test('pictureMap() refuses a crop beyond the picture', () => {
  const crop = { x: 600, y: 0, width: 50, height: 50 };
  expect(() =>
    pictureMap({ width: 640, height: 480 }, { width: 5, height: 5, fit: 'stretch', crop }),
  ).toThrow('the crop of 50×50 at 600, 0 does not lie within a picture of 640×480');
});

test.each<[string, PictureSize, number[]]>([
  ['half the size', { width: 320, height: 240, fit: 'stretch' }, [250, 0, 159.5, 0, 250, 119.5, 0, 0, 1]],
  ['distorted', { width: 640, height: 240, fit: 'stretch' }, [500, 0, 319.5, 0, 250, 119.5, 0, 0, 1]],
  [
    '80 rows of bars on each side',
    { width: 640, height: 640, fit: 'letterbox' },
    [500, 0, 319.5, 0, 500, 319.5, 0, 0, 1],
  ],
  [
    '80 columns cut off each side',
    { width: 480, height: 480, fit: 'crop' },
    [500, 0, 239.5, 0, 500, 239.5, 0, 0, 1],
  ],
  [
    'a part at twice its size',
    { width: 200, height: 200, fit: 'stretch', crop: { x: 300, y: 200, width: 100, height: 100 } },
    [1000, 0, 39.5, 0, 1000, 79.5, 0, 0, 1],
  ],
])('scaledIntrinsics() follows a picture to %s', (_, size, expected) => {
  const k = [500, 0, 319.5, 0, 500, 239.5, 0, 0, 1];
  expect(scaledIntrinsics(k, { width: 640, height: 480 }, size)).toEqual(expected);
});
