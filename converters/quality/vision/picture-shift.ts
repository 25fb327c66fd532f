import { fft } from '../spectrum.ts';
import { areaResize, type Luma } from './luma-measures.ts';

/** Pictures are compared at this size; powers of two for the transform. */
const WIDTH = 256;
const HEIGHT = 128;
/** Size at which a rig's calibration keeps a view. */
export const VIEW = { width: WIDTH, height: HEIGHT } as const;
/** Shifts are said in pixels of a picture of this width. */
const REPORT_WIDTH = 640;
/** Share of the picture at its edges over which it fades, so that the edges themselves are no feature. */
const FADE = 0.12;
/** Frequencies above this share of the sampling rate hardly count. */
const SOFTNESS = 0.15;
const [SOFT_X, SOFT_Y] = [soften(WIDTH), soften(HEIGHT)];

/** How far the content of a picture has moved against another. */
export interface PictureShift {
  /** Pixels of a picture 640 wide. */
  readonly pixels: number;
  /** 0 to 1: height of the correlation's peak; low where the pictures show different things. */
  readonly agreement: number;
}

/** The spectrum of a picture, to be compared with others. */
export interface PictureSpectrum {
  readonly re: Float64Array;
  readonly im: Float64Array;
  /** Height by width of the picture. */
  readonly aspect: number;
}

export function pictureSpectrum(luma: Luma): PictureSpectrum {
  const small = areaResize(luma, WIDTH, HEIGHT);
  const mean = small.reduce((sum, value) => sum + value, 0) / small.length;
  const [fadeX, fadeY] = [fade(WIDTH), fade(HEIGHT)];
  const re = small.map((value, i) => (value - mean) * fadeX[i % WIDTH]! * fadeY[Math.floor(i / WIDTH)]!);
  const im = new Float64Array(re.length);
  transform(re, im);
  return { re, im, aspect: luma.height / luma.width };
}

/** A view as a rig's calibration keeps it: brightness at {@link VIEW}, base64. */
export function viewOf(luma: Luma): string {
  return Buffer.from(Uint8Array.from(areaResize(luma, WIDTH, HEIGHT), Math.round)).toString('base64');
}

/** Phase correlation: the peak stands at the shift, whatever the light (Kuglin and Hines 1975). */
export function pictureShift(from: PictureSpectrum, to: PictureSpectrum): PictureShift {
  const length = from.re.length;
  const [re, im] = [new Float64Array(length), new Float64Array(length)];
  let weights = 0;
  for (let i = 0; i < length; i++) {
    const weight = SOFT_X[i % WIDTH]! * SOFT_Y[Math.floor(i / WIDTH)]!;
    weights += weight;
    const x = to.re[i]! * from.re[i]! + to.im[i]! * from.im[i]!;
    const y = to.im[i]! * from.re[i]! - to.re[i]! * from.im[i]!;
    const scale = weight / (Math.sqrt(x * x + y * y) || 1);
    // The conjugate, because a second forward transform then gives the inverse.
    [re[i], im[i]] = [x * scale, -y * scale];
  }
  transform(re, im);
  let peak = 0;
  for (let i = 1; i < length; i++) if (re[i]! > re[peak]!) peak = i;
  const [column, row] = [peak % WIDTH, Math.floor(peak / WIDTH)];
  const at = (x: number, y: number) => re[((y + HEIGHT) % HEIGHT) * WIDTH + ((x + WIDTH) % WIDTH)]!;
  const dx = signed(column + vertex(at(column - 1, row), re[peak]!, at(column + 1, row)), WIDTH);
  const dy = signed(row + vertex(at(column, row - 1), re[peak]!, at(column, row + 1)), HEIGHT);
  const scaleX = REPORT_WIDTH / WIDTH;
  const scaleY = (REPORT_WIDTH * to.aspect) / HEIGHT;
  return { pixels: Math.hypot(dx * scaleX, dy * scaleY), agreement: re[peak]! / weights };
}

/** Where between its neighbours a peak stands that falls off as a bell does. */
function vertex(before: number, peak: number, after: number): number {
  const [left, middle, right] = [before, peak, after].map((value) => Math.log(Math.max(value, peak * 1e-6)));
  const bend = left! - 2 * middle! + right!;
  return bend < 0 ? (0.5 * (left! - right!)) / bend : 0;
}

function signed(at: number, size: number): number {
  return at > size / 2 ? at - size : at;
}

/** A bell over the frequencies of one axis: what noise and compression make of the finest ones is no shift. */
function soften(size: number): Float64Array {
  return Float64Array.from({ length: size }, (_, i) =>
    Math.exp(-((signed(i, size) / (size * SOFTNESS)) ** 2)),
  );
}

function fade(size: number): Float64Array {
  const reach = size * FADE;
  return Float64Array.from({ length: size }, (_, i) => {
    const edge = Math.min(i, size - 1 - i) / reach;
    return edge >= 1 ? 1 : 0.5 - 0.5 * Math.cos(Math.PI * edge);
  });
}

/** Both axes in turn. */
function transform(re: Float64Array, im: Float64Array): void {
  for (let y = 0; y < HEIGHT; y++) {
    const [start, end] = [y * WIDTH, (y + 1) * WIDTH];
    fft(re.subarray(start, end), im.subarray(start, end));
  }
  fft(re, im, WIDTH);
}
