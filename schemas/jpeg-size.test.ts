import { describe, expect, it } from 'vitest';
import { encodeJpeg } from './image-codec.ts';
import { jpegSize } from './jpeg-size.ts';

const [width, height] = [40, 24];
const jpeg = await encodeJpeg({ pixels: new Uint8Array(width * height * 3), width, height });

describe('jpegSize()', () => {
  it('reads the frame header', () => expect(jpegSize(jpeg)).toEqual({ width, height }));

  it('passes over comments and tables', () => {
    const comment = Uint8Array.of(0xff, 0xfe, 0, 4, 0xff, 0xc0);
    expect(jpegSize(Buffer.concat([jpeg.subarray(0, 2), comment, jpeg.subarray(2)]))).toEqual({
      width,
      height,
    });
  });

  it.each([
    ['another format', Uint8Array.of(0x89, 0x50, 0x4e, 0x47)],
    ['nothing', new Uint8Array(0)],
    ['a file that breaks off before its frame', jpeg.subarray(0, 30)],
    ['a scan without a frame', Uint8Array.of(0xff, 0xd8, 0xff, 0xda, 0, 2, 1, 2, 3, 4, 5, 6)],
  ])('says nothing of %s', (_, bytes) => expect(jpegSize(bytes)).toBeUndefined());
});
