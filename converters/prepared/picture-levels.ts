export const CHANNELS = 3;
export const LEVELS = 256;

/**
 * How often each channel of a camera's pictures had each of the 256 values: enough for every statistic of the
 * pixels, exactly, and the same whatever the order in which pictures are added.
 */
export class PictureLevels {
  /** [channels, levels] */
  readonly counts: Float64Array;
  #frames: number;

  constructor(counts: Float64Array = new Float64Array(CHANNELS * LEVELS), frames = 0) {
    this.counts = counts;
    this.#frames = frames;
  }

  get frames(): number {
    return this.#frames;
  }

  /** @param pixels [height, width, 3] uint8 RGB, row-major. */
  addFrame(pixels: Uint8Array): void {
    const { counts } = this;
    for (let i = 0; i < pixels.length; i += CHANNELS) {
      counts[pixels[i]!]!++;
      counts[LEVELS + pixels[i + 1]!]!++;
      counts[2 * LEVELS + pixels[i + 2]!]!++;
    }
    this.#frames++;
  }

  merge(other: PictureLevels): void {
    for (let i = 0; i < this.counts.length; i++) this.counts[i]! += other.counts[i]!;
    this.#frames += other.frames;
  }

  channel(channel: number): Float64Array {
    return this.counts.subarray(channel * LEVELS, (channel + 1) * LEVELS);
  }
}
