import sharp, { type Sharp } from 'sharp';
import { jpegSize } from './jpeg-size.ts';

// Callers run many pictures at once in worker threads: libvips' own threads and its cache of opened
// files would only compete with them.
sharp.concurrency(1);
sharp.cache(false);

/** A decoded picture. */
export interface RgbImage {
  /** [height, width, 3] uint8 RGB, row-major. */
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** The size a picture is brought to. */
export interface ImageSize {
  readonly width: number;
  readonly height: number;
  /** How another aspect ratio is treated: distorted, black bars, or cut at the edges. @default 'stretch' */
  readonly fit?: 'stretch' | 'letterbox' | 'crop';
  /** The part that is taken before resizing, pixels; absent: all. */
  readonly crop?:
    | { readonly x: number; readonly y: number; readonly width: number; readonly height: number }
    | undefined;
}

const FITS = { stretch: 'fill', letterbox: 'contain', crop: 'cover' } as const;

/**
 * Compresses a picture for a `sensor_msgs/msg/CompressedImage` or an image file of a dataset. The same
 * pixels give the same bytes.
 *
 * @param quality 1 to 100, libjpeg's scale.
 */
export function encodeJpeg(image: RgbImage, quality = 90): Promise<Uint8Array> {
  // Optimised Huffman tables save 9 % of the bytes and double the time: not worth it at camera rate.
  return fromRgb(image).jpeg({ quality, optimiseCoding: false }).toBuffer();
}

/** Decodes a JPEG, PNG or WebP file and, where a size is given, resizes it in the same pass. */
export function decodeRgb(bytes: Uint8Array, size?: ImageSize): Promise<RgbImage> {
  // From top to bottom; libvips would else decode the whole picture before it takes the first row.
  return toRgb(sharp(bytes, { sequentialRead: true }), size);
}

/** A decoded picture of which only the brightness is kept. */
export interface LumaImage {
  /** [height, width] uint8, row-major. */
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Decodes the brightness of a JPEG, PNG or WebP file at a width; a JPEG costs least well below its own size. */
export async function decodeLuma(bytes: Uint8Array, width: number): Promise<LumaImage> {
  // libvips' own way to grey goes through linear light and costs as much as decoding.
  const { data, info } = await sharp(bytes)
    .resize({ width, kernel: 'nearest', fastShrinkOnLoad: true })
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { pixels: lumaOf(data, info.channels), width: info.width, height: info.height };
}

/** The mean of red, twice green and blue. */
function lumaOf(pixels: Uint8Array, channels: number): Uint8Array {
  if (channels === 1) return pixels;
  const luma = new Uint8Array(pixels.length / channels);
  for (let i = 0, at = 0; i < luma.length; i++, at += channels) {
    luma[i] = (pixels[at]! + 2 * pixels[at + 1]! + pixels[at + 2]!) >> 2;
  }
  return luma;
}

/** A decoded picture of one channel of 16 bits. */
export interface Grey16Image {
  /** [height, width] uint16, row-major. */
  readonly pixels: Uint16Array;
  readonly width: number;
  readonly height: number;
}

/**
 * Decodes a PNG of one channel with its 16 bits, as depth cameras send them.
 *
 * @throws {RangeError} for a picture of another kind, whose values would be scaled.
 */
export async function decodeGrey16(bytes: Uint8Array): Promise<Grey16Image> {
  const picture = sharp(bytes);
  const { depth, channels } = await picture.metadata();
  if (depth !== 'ushort' || channels !== 1) {
    throw new RangeError(`the picture has ${channels} channels of type ${depth} instead of one of 16 bits`);
  }
  const { data, info } = await picture
    .toColourspace('grey16')
    .raw({ depth: 'ushort' })
    .toBuffer({ resolveWithObject: true });
  // A pooled buffer need not begin at an even address.
  const pixels = new Uint16Array(new Uint8Array(data).buffer);
  return { pixels, width: info.width, height: info.height };
}

/** Size and file format of a compressed picture, read from its header alone. */
export async function readImageHeader(
  bytes: Uint8Array,
): Promise<{ readonly format: string; readonly width: number; readonly height: number }> {
  const size = jpegSize(bytes); // a fifth of what sharp takes, and most pictures are such
  if (size) return { format: 'jpeg', ...size };
  const { format, width, height } = await sharp(bytes).metadata();
  return { format, width, height };
}

/** Brings a picture to another size. */
export function resizeRgb(image: RgbImage, size: ImageSize): Promise<RgbImage> {
  return toRgb(fromRgb(image), size);
}

/** @throws {RangeError} when a part does not lie within its picture. */
export function checkCrop(
  { x, y, width, height }: NonNullable<ImageSize['crop']>,
  picture: { readonly width: number; readonly height: number },
): void {
  if (x + width <= picture.width && y + height <= picture.height) return;
  throw new RangeError(
    `the crop of ${width}×${height} at ${x}, ${y} does not lie within a picture of ${picture.width}×${picture.height}`,
  );
}

function fromRgb({ pixels, width, height }: RgbImage): Sharp {
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

async function toRgb(picture: Sharp, size: ImageSize | undefined): Promise<RgbImage> {
  const crop = size?.crop;
  if (crop) checkCrop(crop, await picture.metadata());
  const taken = crop ? picture.extract({ ...crop, left: crop.x, top: crop.y }) : picture;
  const sized = size
    ? taken.resize(size.width, size.height, { fit: FITS[size.fit ?? 'stretch'], background: 'black' })
    : taken;
  const { data, info } = await sized
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { pixels: data, width: info.width, height: info.height };
}
