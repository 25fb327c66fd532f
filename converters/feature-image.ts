import type { ImageFeature } from '../schemas/contract.ts';
import { ConvertError } from '../schemas/errors.ts';
import { decodeRgb, type RgbImage, resizeRgb } from '../schemas/image-codec.ts';
import type { MessageValue } from '../schemas/message.ts';
import type { Choice } from './align.ts';
import type { Sample } from './align-streams.ts';
import { BAYER_PATTERNS, demosaic } from './bayer.ts';
import { bytesOf } from './feature-pick.ts';
import type { FeatureOrigin } from './feature-vector.ts';
import { VideoPictures } from './feature-video.ts';
import type { ImageValue } from './frame.ts';

/** Makes the picture of one feature from the messages chosen for it; each is decoded once. */
export class ImageReader {
  readonly #feature: ImageFeature;
  readonly #origin: FeatureOrigin;
  readonly #wants: (frame: number) => boolean;
  /** The message that is shown. */
  #sample: Sample | undefined;
  /** The picture that is shown, and whether that of the message did not decode. */
  #shown: Promise<Shown>;
  readonly #video = new VideoPictures();

  /**
   * @param wants whether the picture of a frame is looked at, asked at the first that shows it. Of video it is told
   * all the same whether it is whole.
   */
  constructor(feature: ImageFeature, origin: FeatureOrigin, wants: (frame: number) => boolean) {
    this.#feature = feature;
    this.#origin = origin;
    this.#wants = wants;
    const pixels = new Uint8Array(feature.width * feature.height * 3);
    this.#shown = Promise.resolve({ pixels, isDamaged: false });
  }

  /**
   * To be called in order of ticks; the promises may be awaited later.
   *
   * @throws {ConvertError} when the message is no picture, or one that does not decode.
   */
  async read({ valid, ageNanos, value }: Choice<Sample>, frame: number): Promise<ImageValue> {
    if (value && value !== this.#sample) {
      this.#sample = value;
      this.#shown = this.#decode(value, { before: this.#shown, isWanted: this.#wants(frame) });
    }
    const { pixels, isDamaged } = await this.#shown;
    const isValid = valid && !isDamaged;
    return { kind: 'image', feature: this.#feature, valid: isValid, ageNanos, pixels, coded: value?.picture };
  }

  close(): Promise<void> {
    return this.#video.close();
  }

  async #decode(
    sample: Sample,
    { before, isWanted }: { readonly before: Promise<Shown>; readonly isWanted: boolean },
  ): Promise<Shown> {
    try {
      if (!isWanted) {
        const isDamaged = sample.channel.isVideo === true && !(await this.#video.isWhole(sample));
        return { ...(await before), isDamaged };
      }
      const picture = await decodePicture(sample, { feature: this.#feature, video: this.#video });
      if (!picture) return { ...(await before), isDamaged: true };
      const { pixels } = picture;
      return { pixels: this.#feature.colorOrder === 'bgr' ? swapped(pixels) : pixels, isDamaged: false };
    } catch (cause) {
      const { key, topic, file } = this.#origin;
      throw new ConvertError(
        `Cannot make feature "${key}" of "${file}": a "${sample.channel.type}" on "${topic}" does not ` +
          `become a picture: ${(cause as Error).message}.`,
        { cause, contractPath: ['features', key] },
      );
    }
  }
}

interface Shown {
  readonly pixels: Uint8Array;
  readonly isDamaged: boolean;
}

/** @returns undefined for a picture of video that is damaged. */
async function decodePicture(
  sample: Sample,
  { feature, video }: { readonly feature: ImageFeature; readonly video: VideoPictures },
): Promise<RgbImage | undefined> {
  const { value, channel } = sample;
  switch (channel.type.replace('/msg/', '/')) {
    case 'sensor_msgs/CompressedImage':
    case 'foxglove_msgs/CompressedImage':
      return decodeRgb(bytesOf(value), feature);
    case 'foxglove_msgs/CompressedVideo': {
      const picture = await video.decode(sample);
      return picture && brought(picture, feature);
    }
    case 'sensor_msgs/Image':
      return brought(unpack(value), feature);
    default:
      throw new RangeError(
        'the type is not one of "sensor_msgs/msg/CompressedImage", "sensor_msgs/msg/Image", ' +
          '"foxglove_msgs/msg/CompressedVideo"',
      );
  }
}

/** A picture at the feature's size. */
function brought(picture: RgbImage, feature: ImageFeature): RgbImage | Promise<RgbImage> {
  const isSized = !feature.crop && picture.width === feature.width && picture.height === feature.height;
  return isSized ? picture : resizeRgb(picture, feature);
}

/** The same pixels with red and blue in each other's place. */
function swapped(pixels: Uint8Array): Uint8Array {
  const other = new Uint8Array(pixels);
  for (let i = 0; i < pixels.length; i += 3) {
    other[i] = pixels[i + 2]!;
    other[i + 2] = pixels[i]!;
  }
  return other;
}

/** Offsets of red, green and blue in a pixel, and its size in bytes. */
const ENCODINGS: Readonly<Record<string, { readonly rgb: readonly [number, number, number]; size: number }>> =
  {
    rgb8: { rgb: [0, 1, 2], size: 3 },
    bgr8: { rgb: [2, 1, 0], size: 3 },
    rgba8: { rgb: [0, 1, 2], size: 4 },
    bgra8: { rgb: [2, 1, 0], size: 4 },
    mono8: { rgb: [0, 0, 0], size: 1 },
  };

const ONE_BYTE = ENCODINGS.mono8!;

/** The pixels of a `sensor_msgs/msg/Image`; a row may be longer than its pixels. */
function unpack(message: MessageValue): RgbImage {
  const { width, height, step, encoding } = message;
  if (typeof width !== 'number' || typeof height !== 'number' || typeof step !== 'number') {
    throw new RangeError('it lacks "width", "height" or "step"');
  }
  const layout = ENCODINGS[String(encoding)];
  const pattern = BAYER_PATTERNS[String(encoding)];
  if (!layout && !pattern) {
    const known = [...Object.keys(ENCODINGS), ...Object.keys(BAYER_PATTERNS)];
    throw new RangeError(`encoding "${encoding}" is not one of ${known.join(', ')}`);
  }
  const data = bytesOf(message);
  const { rgb, size } = layout ?? ONE_BYTE;
  if (step < width * size || data.byteLength < height * step) {
    throw new RangeError(
      `${width}×${height} pixels of ${size} bytes in rows of ${step} bytes do not fit into ${data.byteLength} bytes`,
    );
  }
  if (pattern) return demosaic({ data, width, height, step, pattern });
  const pixels = new Uint8Array(width * height * 3);
  let to = 0;
  for (let y = 0; y < height; y++) {
    for (let from = y * step; from < y * step + width * size; from += size) {
      pixels[to++] = data[from + rgb[0]]!;
      pixels[to++] = data[from + rgb[1]]!;
      pixels[to++] = data[from + rgb[2]]!;
    }
  }
  return { pixels, width, height };
}
