import { basename } from 'node:path';
import type { Contract, Feature, Stream } from '../../schemas/contract.ts';
import { EpisodeReader } from '../../schemas/episode-reader.ts';
import { KinescribeError } from '../../schemas/errors.ts';
import { readLibrary } from '../../schemas/library.ts';
import { nanosToSecs } from '../../schemas/time.ts';

/** How much recording under a contract writes. */
export interface ExpectedRate {
  readonly bytesPerSec: number;
  /** What it is known from. */
  readonly basis: string;
}

/** An episode shorter than this is dominated by what stands at its beginning. */
const MIN_SECS = 2;

/** Measures the last episode of the contract in the library; where there is none, estimates by types. */
export async function expectedRate(contract: Contract, directory: string): Promise<ExpectedRate> {
  return (await measuredRate(contract, directory)) ?? estimatedRate(contract);
}

async function measuredRate({ name }: Contract, directory: string): Promise<ExpectedRate | undefined> {
  const library = await readLibrary(directory).catch(() => undefined); // not there yet
  const file = library?.episodes.findLast((path) => basename(path).startsWith(`${name}-`));
  if (file === undefined) return undefined;
  try {
    await using reader = await EpisodeReader.open(file);
    const secs = nanosToSecs(reader.endTime - reader.startTime);
    if (secs < MIN_SECS) return undefined;
    return { bytesPerSec: reader.bytes / secs, basis: `as in "${file}"` };
  } catch (error) {
    if (error instanceof KinescribeError) return undefined; // damaged: no measure of anything
    throw error;
  }
}

function estimatedRate({ streams, features }: Contract): ExpectedRate {
  const rates = Object.entries(streams).map(([name, stream]) => {
    const feature = Object.values(features).find((each) => 'stream' in each && each.stream === name);
    return (stream.rateHz ?? 0) * messageBytes(stream, feature);
  });
  const bytesPerSec = rates.reduce((sum, rate) => sum + rate, 0);
  return { bytesPerSec, basis: 'estimated from the types of its streams' };
}

/** Cameras of unknown size are taken for this one. */
const VGA = { width: 640, height: 480 };
/** JPEG of a textured scene, bytes per pixel. */
const JPEG_BYTES_PER_PIXEL = 0.3;
const CLOUD_BYTES = 1_000_000;
const SMALL_BYTES = 1_000;

function messageBytes({ type }: Stream, feature: Feature | undefined): number {
  const { width, height } = feature?.kind === 'image' || feature?.kind === 'depth' ? feature : VGA;
  // A feature may be smaller than the camera, never larger on purpose.
  const pixels = Math.max(width * height, VGA.width * VGA.height);
  if (/CompressedImage$/.test(type)) return pixels * JPEG_BYTES_PER_PIXEL;
  if (/Image$/.test(type)) return pixels * 3;
  return /PointCloud2?$/.test(type) ? CLOUD_BYTES : SMALL_BYTES;
}
