import type { PictureFault } from './faults.ts';

/** A rendered picture before its compression: [height, width, 3] uint8 RGB, row-major. */
export interface RenderedPicture {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** What the faults that act on the light make of a picture; the others are a matter of driver or bus. */
export function distortPicture(picture: RenderedPicture, faults: readonly PictureFault[]): RenderedPicture {
  return faults.reduce(distort, picture);
}

function distort(picture: RenderedPicture, fault: PictureFault): RenderedPicture {
  const each = (change: (value: number) => number) => ({
    ...picture,
    pixels: picture.pixels.map((v) => clamp(change(v))),
  });
  switch (fault.kind) {
    case 'black-camera':
      return each(() => 0);
    case 'exposure':
      return each((value) => value * fault.gain);
    case 'flat-picture':
      return each((value) => 128 + (value - 128) * fault.contrast);
    case 'blurred-camera':
      return boxBlur(boxBlur(picture, fault.pixels), fault.pixels);
    case 'moved-camera':
      return shifted(picture, fault.pixels);
    case 'small-picture':
      return halved(picture);
    default:
      return picture;
  }
}

function clamp(value: number): number {
  return Math.max(0, Math.min(255, value));
}

/** The mean over a square of this reach around each pixel; both axes in turn. */
function boxBlur(picture: RenderedPicture, reach: number): RenderedPicture {
  const { width, height } = picture;
  const across = averaged(
    picture.pixels,
    { count: height, stride: width * 3, length: width, step: 3 },
    reach,
  );
  return {
    ...picture,
    pixels: averaged(across, { count: width, stride: 3, length: height, step: width * 3 }, reach),
  };
}

interface Lines {
  readonly count: number;
  /** From one line to the next, and from one pixel of a line to the next; bytes. */
  readonly stride: number;
  readonly length: number;
  readonly step: number;
}

function averaged(pixels: Uint8Array, { count, stride, length, step }: Lines, reach: number): Uint8Array {
  const smooth = new Uint8Array(pixels.length);
  for (let line = 0; line < count; line++) {
    for (let channel = 0; channel < 3; channel++) {
      const at = (i: number) => line * stride + Math.max(0, Math.min(length - 1, i)) * step + channel;
      let sum = 0;
      for (let i = -reach; i <= reach; i++) sum += pixels[at(i)]!;
      for (let i = 0; i < length; i++) {
        smooth[at(i)] = Math.round(sum / (2 * reach + 1));
        sum += pixels[at(i + reach + 1)]! - pixels[at(i - reach)]!;
      }
    }
  }
  return smooth;
}

/** Columns move to the left; the last one fills what becomes free. */
function shifted({ pixels, width, height }: RenderedPicture, by: number): RenderedPicture {
  const moved = new Uint8Array(pixels.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + Math.max(0, Math.min(width - 1, x + by))) * 3;
      moved.set(pixels.subarray(from, from + 3), (y * width + x) * 3);
    }
  }
  return { pixels: moved, width, height };
}

function halved({ pixels, width, height }: RenderedPicture): RenderedPicture {
  const [w, h] = [width >> 1, height >> 1];
  const small = new Uint8Array(w * h * 3);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const from = (2 * y * width + 2 * x) * 3;
      small.set(pixels.subarray(from, from + 3), (y * w + x) * 3);
    }
  }
  return { pixels: small, width: w, height: h };
}
