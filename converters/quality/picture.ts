import { decodeLuma, readImageHeader } from '../../schemas/image-codec.ts';
import type { MessageValue } from '../../schemas/message.ts';
import type { Picture } from './observation.ts';

/** Wide enough for sharpness, small enough to be decoded while recording. */
const LOOK_WIDTH = 320;

/** Bytes per pixel, and what of them is brightness: one of them, or three colours with green in the middle. */
const RAW: Readonly<Record<string, { readonly bytes: number; readonly luma: number | 'colours' }>> = {
  rgb8: { bytes: 3, luma: 'colours' },
  bgr8: { bytes: 3, luma: 'colours' },
  rgba8: { bytes: 4, luma: 'colours' },
  bgra8: { bytes: 4, luma: 'colours' },
  mono8: { bytes: 1, luma: 0 },
  '8UC1': { bytes: 1, luma: 0 },
  '8UC3': { bytes: 3, luma: 'colours' },
  yuv422_yuy2: { bytes: 2, luma: 0 },
  yuv422: { bytes: 2, luma: 1 },
  bayer_rggb8: { bytes: 1, luma: 0 },
  bayer_bggr8: { bytes: 1, luma: 0 },
  bayer_gbrg8: { bytes: 1, luma: 0 },
  bayer_grbg8: { bytes: 1, luma: 0 },
};

/**
 * Brings the picture of a message down to a look; undefined for encodings that are not looked into.
 *
 * @throws {Error} when the picture does not decode.
 */
export async function readPicture(
  value: MessageValue,
  lookWidth: number = LOOK_WIDTH,
): Promise<Picture | undefined> {
  const data = value.data;
  if (!(data instanceof Uint8Array)) return undefined;
  if (typeof value.format === 'string') return compressedPicture(data, value.format, lookWidth);
  const { width, height, step, encoding } = value;
  if (typeof width !== 'number' || typeof height !== 'number' || typeof step !== 'number') return undefined;
  const raw: Raw = { data, width, height, step, encoding: String(encoding), lookWidth };
  if (step * height > data.byteLength || width === 0 || height === 0) {
    throw new RangeError(`${width} × ${height} pixels need ${step * height} bytes, found ${data.byteLength}`);
  }
  return raw.encoding in RAW ? lumaPicture(raw) : depthPicture(raw, value.is_bigendian === 1);
}

async function compressedPicture(
  data: Uint8Array,
  format: string,
  lookWidth: number,
): Promise<Picture | undefined> {
  if (/compressedDepth/i.test(format)) return undefined;
  const { width, height, format: encoding } = await readImageHeader(data);
  const luma = await decodeLuma(data, Math.min(width, lookWidth));
  return { width, height, encoding, luma: luma.pixels, lumaWidth: luma.width, lumaHeight: luma.height };
}

interface Raw {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** Bytes per row. */
  readonly step: number;
  readonly encoding: string;
  readonly lookWidth: number;
}

function lumaPicture({ data, width, height, step, encoding, lookWidth }: Raw): Picture {
  const { bytes, luma: brightness } = RAW[encoding]!;
  const grid = sampleGrid(width, height, lookWidth);
  const luma = new Uint8Array(grid.width * grid.height);
  const across = grid.stride * bytes;
  for (let y = 0, i = 0; y < grid.height; y++) {
    let at = y * grid.stride * step;
    if (brightness === 'colours') {
      for (let x = 0; x < grid.width; x++, at += across) {
        luma[i++] = (data[at]! + 2 * data[at + 1]! + data[at + 2]!) >> 2;
      }
    } else {
      for (let x = 0; x < grid.width; x++, at += across) luma[i++] = data[at + brightness]!;
    }
  }
  return { width, height, encoding, luma, lumaWidth: grid.width, lumaHeight: grid.height };
}

/** REP 118: 16UC1 holds millimetres, 32FC1 metres; 0 and NaN are holes. */
function depthPicture(
  { data, width, height, step, encoding, lookWidth }: Raw,
  bigEndian: boolean,
): Picture | undefined {
  const isMillimetres = encoding === '16UC1' || encoding === 'mono16';
  if (!isMillimetres && encoding !== '32FC1') return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const grid = sampleGrid(width, height, lookWidth);
  const depth = new Float32Array(grid.width * grid.height);
  for (let y = 0, i = 0; y < grid.height; y++) {
    for (let x = 0; x < grid.width; x++, i++) {
      const at = y * grid.stride * step + x * grid.stride * (isMillimetres ? 2 : 4);
      const metres = isMillimetres ? view.getUint16(at, !bigEndian) / 1000 : view.getFloat32(at, !bigEndian);
      depth[i] = metres > 0 ? metres : Number.NaN;
    }
  }
  const none = new Uint8Array(0);
  return {
    width,
    height,
    encoding,
    luma: none,
    lumaWidth: 0,
    lumaHeight: 0,
    depth,
  };
}

/** Every n-th pixel of both axes: at most `lookWidth` wide. Even, so that Bayer's green stays green. */
function sampleGrid(width: number, height: number, lookWidth: number) {
  const least = Math.ceil(width / lookWidth);
  const stride = least === 1 ? 1 : least + (least % 2);
  return {
    stride,
    width: Math.floor((width - 1) / stride) + 1,
    height: Math.floor((height - 1) / stride) + 1,
  };
}
