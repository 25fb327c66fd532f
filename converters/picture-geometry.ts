import type { ImageFeature } from '../schemas/contract.ts';
import { checkCrop } from '../schemas/image-codec.ts';

/** What of a feature decides how its picture comes to its size. */
export type PictureSize = Pick<ImageFeature, 'width' | 'height' | 'fit' | 'crop'>;

/** Size of a picture as the camera sent it, pixels. */
export interface SourceSize {
  readonly width: number;
  readonly height: number;
}

/**
 * Where the camera's picture lies in that of the feature: `to = from * scale + offset` for coordinates in which pixel
 * i spans [i, i + 1). Pixels of the feature outside [start, end) show bars.
 */
export interface AxisMap {
  readonly scale: number;
  readonly offset: number;
  readonly start: number;
  readonly end: number;
}

/** The maps of both axes; those that sharp's `resize` follows, so that depth and intrinsics fit the colours. */
export function pictureMap(
  source: SourceSize,
  { width, height, fit, crop }: PictureSize,
): { readonly x: AxisMap; readonly y: AxisMap } {
  const part = crop ?? { x: 0, y: 0, ...source };
  checkCrop(part, source);
  const [scaleX, scaleY] = [width / part.width, height / part.height];
  const common = { stretch: undefined, letterbox: Math.min(scaleX, scaleY), crop: Math.max(scaleX, scaleY) }[
    fit
  ];
  return {
    x: axisMap({ from: part.x, size: part.width, to: width, common }),
    y: axisMap({ from: part.y, size: part.height, to: height, common }),
  };
}

interface Axis {
  /** Of the part that is taken: where it begins and how long it is. */
  readonly from: number;
  readonly size: number;
  /** Pixels of the feature. */
  readonly to: number;
  /** Scale of both axes; undefined where each has its own. */
  readonly common: number | undefined;
}

function axisMap({ from, size, to, common }: Axis): AxisMap {
  // A whole number of pixels, which makes the scale of this axis differ a little from the common one.
  const length = common === undefined ? to : Math.round(size * common);
  const before = Math.floor((to - length) / 2);
  const scale = length / size;
  return {
    scale,
    offset: before - from * scale,
    start: Math.max(0, before),
    end: Math.min(to, before + length),
  };
}

/** For each pixel of the feature the source's pixel whose centre is nearest to its own; -1 in the bars. */
export function nearestPixels({ scale, offset, start, end }: AxisMap, count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) =>
    i >= start && i < end ? Math.floor((i + 0.5 - offset) / scale) : -1,
  );
}

/**
 * The camera matrix of a picture that was brought to another size, row-major.
 *
 * @param k [3, 3] of the camera's own picture; its pixel centres lie at whole numbers, as OpenCV has them.
 */
export function scaledIntrinsics(
  k: ArrayLike<number>,
  source: SourceSize,
  size: PictureSize,
): readonly number[] {
  const { x, y } = pictureMap(source, size);
  const row = (at: number, { scale, offset }: AxisMap) => {
    // p' = (p + 1/2) s + o - 1/2, where p = K · X / z.
    const shift = offset + scale / 2 - 0.5;
    return [0, 1, 2].map((i) => k[at + i]! * scale + k[6 + i]! * shift);
  };
  return [...row(0, x), ...row(3, y), k[6]!, k[7]!, k[8]!];
}
