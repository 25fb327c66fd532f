import { expect, test } from 'vitest';
import { decodeRgb, encodeJpeg, type RgbImage, resizeRgb } from './image-codec.ts';

/** Left half red, right half blue. */
function twoHalves(width: number, height: number): RgbImage {
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) pixels[i * 3 + (i % width < width / 2 ? 0 : 2)] = 200;
  return { pixels, width, height };
}

const pixel = ({ pixels, width }: RgbImage, x: number, y: number) => [
  ...pixels.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];
const near = (value: number) => expect.closeTo(value, -1);

test('decodeRgb() gives back what encodeJpeg() took, within the loss of JPEG', async () => {
  const image = twoHalves(64, 32);
  const jpeg = await encodeJpeg(image);
  const decoded = await decodeRgb(jpeg);
  expect([...jpeg.subarray(0, 2)]).toEqual([0xff, 0xd8]);
  expect(decoded).toMatchObject({ width: 64, height: 32 });
  expect(pixel(decoded, 5, 5)).toEqual([near(200), near(0), near(0)]);
  expect(pixel(decoded, 60, 20)).toEqual([near(0), near(0), near(200)]);
});

test('encodeJpeg() gives the same bytes for the same pixels', async () => {
  expect(await encodeJpeg(twoHalves(40, 30))).toEqual(await encodeJpeg(twoHalves(40, 30)));
});

test.each([
  ['stretch', [near(200), near(0), near(0)]],
  ['letterbox', [0, 0, 0]],
  ['crop', [near(200), near(0), near(0)]],
] as const)('resizeRgb() brings a wide picture into a square by "%s"', async (fit, topLeft) => {
  const square = await resizeRgb(twoHalves(64, 32), { width: 16, height: 16, fit });
  expect(square).toMatchObject({ width: 16, height: 16 });
  expect(square.pixels.length).toBe(16 * 16 * 3);
  expect(pixel(square, 2, 1)).toEqual(topLeft);
});

test('decodeRgb() resizes while decoding as resizeRgb() does after', async () => {
  const size = { width: 20, height: 10 };
  const image = await decodeRgb(await encodeJpeg(twoHalves(64, 32)), size);
  expect(image).toMatchObject(size);
  expect(pixel(image, 2, 5)).toEqual([near(200), near(0), near(0)]);
});

test('decodeRgb() rejects bytes that are no picture', async () => {
  await expect(decodeRgb(new Uint8Array([1, 2, 3, 4]))).rejects.toThrow();
});
