import type { Contract } from '../../schemas/contract.ts';
import { ConvertError } from '../../schemas/errors.ts';
import { imageFeatures } from '../frame-columns.ts';

/**
 * Checks that the pictures of a contract can become the videos that LeRobot reads.
 *
 * @throws {ConvertError} when the rate is no whole number, or a side of a picture is odd.
 */
export function checkVideos(contract: Contract): void {
  const fps = contract.samples.tickRateHz;
  if (!Number.isInteger(fps)) {
    throw new ConvertError(
      `Cannot write LeRobot: samples.tickRateHz must be a whole number of frames per second, found ${fps}.`,
    );
  }
  for (const [key, { width, height }] of imageFeatures(contract)) {
    if (width % 2 || height % 2) {
      throw new ConvertError(
        `Cannot write LeRobot: videos need an even width and height, feature "${key}" is ${width} × ${height}.`,
      );
    }
  }
}
