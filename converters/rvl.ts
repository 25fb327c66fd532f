import type { Grey16Image } from '../schemas/image-codec.ts';

/** Of both sides, little-endian 32-bit words. */
const SIZE_BYTES = 8;
/** Ten times what depth cameras have: a damaged size must not ask for all memory. */
const MAX_PIXELS = 1 << 26;

/**
 * Decodes a depth map in RVL, run length and variable length (A. Wilson, "Fast Lossless Depth Image Compression",
 * ISS 2017), as `compressed_depth_image_transport` sends it: width, height, then by turns a run of zeros and a run of
 * measured pixels, each pixel as its difference from the one measured before.
 *
 * @throws {RangeError} where the bytes are not exactly one picture: nothing is guessed.
 */
export function decodeRvl(bytes: Uint8Array): Grey16Image {
  if (bytes.byteLength < SIZE_BYTES) throw new RangeError(`its RVL has no size in ${bytes.byteLength} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, height] = [view.getUint32(0, true), view.getUint32(4, true)];
  const count = width * height;
  if (count === 0 || count > MAX_PIXELS) {
    throw new RangeError(`its RVL says ${width}×${height} pixels; 1 to ${MAX_PIXELS} can be`);
  }
  const numbers = new RvlNumbers(view);
  const pixels = new Uint16Array(count);
  let [at, previous] = [0, 0];
  const run = () => {
    const length = numbers.next();
    if (length <= count - at) return length;
    throw new RangeError(`its RVL has a run of ${length} where ${count - at} of ${count} pixels are left`);
  };
  while (at < count) {
    at += run();
    for (let left = run(); left > 0; left--) {
      const zigzag = numbers.next();
      previous += (zigzag >>> 1) ^ -(zigzag & 1);
      if (previous < 1 || previous > 0xffff) {
        throw new RangeError(`its RVL has ${previous} at pixel ${at}; a measured one has 1 to 65535`);
      }
      pixels[at++] = previous;
    }
  }
  numbers.end();
  return { pixels, width, height };
}

/** The numbers of a stream: four bits at a time from the top of each word, three of them digits, the lowest first. */
class RvlNumbers {
  readonly #view: DataView;
  #offset = SIZE_BYTES;
  #word = 0;
  /** Bits of the word that are not yet read. */
  #bits = 0;

  constructor(view: DataView) {
    this.#view = view;
  }

  next(): number {
    let [value, nibble] = [0, 0];
    for (let shift = 0; ; shift += 3) {
      // Runs and differences both fit into 27 bits.
      if (shift > 24) throw new RangeError(`its RVL has a number without end before byte ${this.#offset}`);
      if (this.#bits === 0) this.#load();
      nibble = this.#word >>> 28;
      this.#word <<= 4;
      this.#bits -= 4;
      value |= (nibble & 7) << shift;
      if (nibble < 8) return value;
    }
  }

  /** After the last number the word is filled with zeros, and nothing follows. */
  end(): void {
    if (this.#word === 0 && this.#offset === this.#view.byteLength) return;
    throw new RangeError(`its RVL goes on after its last pixel, before byte ${this.#offset}`);
  }

  #load(): void {
    if (this.#offset + 4 > this.#view.byteLength) {
      throw new RangeError(`its RVL ends in the middle of the picture, at byte ${this.#view.byteLength}`);
    }
    this.#word = this.#view.getInt32(this.#offset, true);
    this.#offset += 4;
    this.#bits = 32;
  }
}
