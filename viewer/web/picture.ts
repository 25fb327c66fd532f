import type { MessageValue } from '../../schemas/message.ts';
import { RAW_ENCODINGS } from '../picture-types.ts';

/**
 * Makes a decoded picture message drawable.
 *
 * @throws {Error} when the browser cannot decode it or its encoding is none of the common ones.
 */
export async function pictureOf(message: MessageValue): Promise<ImageBitmap> {
  const { data, format, encoding, width, height, step } = message;
  if (!(data instanceof Uint8Array)) throw new Error('no picture data');
  if (typeof format === 'string') return createImageBitmap(new Blob([data.slice()]));
  if (typeof encoding !== 'string' || typeof width !== 'number' || typeof height !== 'number') {
    throw new Error('no picture');
  }
  const rowBytes = typeof step === 'number' && step > 0 ? step : data.byteLength / height;
  return createImageBitmap(rawPicture(data, { encoding, width, height, rowBytes }));
}

interface RawLayout {
  readonly encoding: string;
  readonly width: number;
  readonly height: number;
  readonly rowBytes: number;
}

function rawPicture(data: Uint8Array, { encoding, width, height, rowBytes }: RawLayout): ImageData {
  const places = RAW_ENCODINGS[encoding];
  if (!places) throw new Error(`encoding ${encoding} is not shown here`);
  const [bytes, r, g, b] = places;
  const picture = new ImageData(width, height);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0, from = y * rowBytes; x < width; x++, from += bytes, to += 4) {
      picture.data[to] = data[from + r]!;
      picture.data[to + 1] = data[from + g]!;
      picture.data[to + 2] = data[from + b]!;
      picture.data[to + 3] = 255;
    }
  }
  return picture;
}
