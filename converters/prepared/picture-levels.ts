export const CHANNELS = 3;
export const LEVELS = 256;

/** Of a picture with more pixels than this, which LeRobot thins out as well, only some are counted. */
const LARGE_PIXELS = 300 * 300;
/**
 * Every seventeenth pixel: as many as LeRobot takes of 640 × 480. A step that divides no usual width walks through
 * all columns, so that the mean stays within 2e-5 of that over all pixels; LeRobot's, of whole rows, within 1e-3.
 */
const LARGE_STEP = 17;

/**
 * How often each channel of a camera's pictures had each of the 256 values: enough for every statistic of the
 * pixels that are counted, and the same whatever the order in which pictures are added.
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
    const step = CHANNELS * (pixels.length > LARGE_PIXELS * CHANNELS ? LARGE_STEP : 1);
    for (let i = 0; i < pixels.length; i += step) {
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
