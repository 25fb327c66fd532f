import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeRvl } from './rvl.ts';

/**
 * Made by the plugin's own C++: `RvlCodec::CompressRVL()` of ros-perception/image_transport_plugins at 7404d77,
 * compiled with g++ on x86-64, behind width and height as `encodeCompressedDepthImage()` writes them.
 */
const GOLDEN: readonly (readonly [string, string, number, number, readonly number[]])[] = [
  [
    'runs of both kinds and the largest steps',
    '070000000300000023f38a23f38c8e1235f3ffbff3ffce8111ffff1bf1ffdc1200000022',
    7,
    3,
    [0, 0, 1000, 1001, 999, 0, 65535, 1, 0, 0, 0, 5, 65535, 65534, 32768, 32767, 0, 12, 13, 0, 0],
  ],
  ['a covered camera', '80020000e001000010b98888', 640, 480, Array.from({ length: 640 * 480 }, () => 0)],
  ['one pixel', '010000000100000000d28f01', 1, 1, [700]],
];

test.each(GOLDEN)('decodeRvl() decodes %s', (_, hex, width, height, pixels) => {
  expect(decodeRvl(Buffer.from(hex, 'hex'))).toEqual({ width, height, pixels: Uint16Array.from(pixels) });
});

/** The codec backwards, as the paper describes it. */
function encoded(width: number, height: number, pixels: readonly number[]): Uint8Array {
  const nibbles: number[] = [];
  const put = (value: number) => {
    for (let rest = value; ; rest >>>= 3) {
      nibbles.push((rest & 7) | (rest > 7 ? 8 : 0));
      if (rest <= 7) return;
    }
  };
  let [at, previous] = [0, 0];
  while (at < pixels.length) {
    for (const wanted of [false, true]) {
      let end = at;
      while (end < pixels.length && pixels[end]! > 0 === wanted) end++;
      put(end - at);
      for (; at < end; at++) {
        if (!wanted) continue;
        const delta = pixels[at]! - previous;
        put(delta < 0 ? -2 * delta - 1 : 2 * delta);
        previous = pixels[at]!;
      }
    }
  }
  while (nibbles.length % 8 > 0) nibbles.push(0);
  const words = nibbles.join('') === '' ? 0 : nibbles.length / 8;
  const view = new DataView(new ArrayBuffer(8 + 4 * words));
  view.setUint32(0, width, true);
  view.setUint32(4, height, true);
  for (let i = 0; i < words; i++) {
    const word = nibbles.slice(8 * i, 8 * i + 8).reduce((sum, nibble) => sum * 16 + nibble, 0);
    view.setUint32(8 + 4 * i, word, true);
  }
  return new Uint8Array(view.buffer);
}

const anyPicture = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 12 }))
  .chain(([width, height]) =>
    fc.tuple(
      fc.constant(width),
      fc.constant(height),
      fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 65_535 })), {
        minLength: width * height,
        maxLength: width * height,
      }),
    ),
  );

test('decodeRvl() gives back every picture, and none of a stream that was cut or goes on', () => {
  fc.assert(
    fc.property(anyPicture, fc.nat(), ([width, height, pixels], at) => {
      const bytes = encoded(width, height, pixels);
      expect([...decodeRvl(bytes).pixels]).toEqual(pixels);
      expect(() => decodeRvl(bytes.subarray(0, at % bytes.length))).toThrow(RangeError);
      expect(() => decodeRvl(Buffer.concat([bytes, new Uint8Array(4)]))).toThrow(/goes on after/);
    }),
  );
});

test('decodeRvl() ends with a picture of the stated size or a RangeError, whatever it is given', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(300), fc.nat(300), (noise, width, height) => {
      const view = new DataView(new ArrayBuffer(8));
      view.setUint32(0, width, true);
      view.setUint32(4, height, true);
      try {
        const picture = decodeRvl(Buffer.concat([new Uint8Array(view.buffer), noise]));
        expect(picture.pixels).toHaveLength(width * height);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
    { numRuns: 1000 },
  );
});

test.each<[string, string, RegExp]>([
  ['no size', '0100', /no size in 2 bytes/],
  ['no pixels', '0000000004000000', /says 0×4 pixels/],
  ['more pixels than any camera has', 'ffffffffffffffff', /says 4294967295×4294967295 pixels/],
  ['a run beyond the picture', '020000000200000000000050', /a run of 5 where 4 of 4 pixels are left/],
  ['a measured pixel of zero', '0100000001000000000000' + '01', /has 0 at pixel 0/],
  ['a pixel below zero', '010000000100000000001001', /has -1 at pixel 0/],
  ['a number without end', '01000000010000008888888888888888', /a number without end/],
  ['nothing after the size', '0100000001000000', /ends in the middle of the picture, at byte 8/],
])('decodeRvl() refuses %s', (_, hex, fault) => {
  expect(() => decodeRvl(Buffer.from(hex, 'hex'))).toThrow(fault);
});
