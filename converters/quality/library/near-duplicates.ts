import { quantile } from '../robust.ts';
import { hashDistance } from '../vision/luma-measures.ts';
import type { Trace } from './trace.ts';

const POINTS = 64;
const BAND = Math.ceil(0.1 * POINTS);
/** Below the first the same recording, below the second worth a look; genuine repeats begin at 0.0115. */
export const SAME_PATH = 0.004;
export const SIMILAR_PATH = 0.012;
/** Of 320 bits. */
export const SAME_VIDEO_BITS = 8;

export interface TracedEpisode {
  readonly file: string;
  readonly id: string;
  /** Digest of the recording. */
  readonly digest: string;
  /** Undefined for an episode without joints. */
  readonly trace: Trace | undefined;
}

export interface Likeness {
  readonly check: 'X01' | 'X02' | 'X03';
  /** The later one; two files may bear one id. */
  readonly file: string;
  readonly id: string;
  /** Id of the earlier one. */
  readonly other: string;
  readonly value: number;
}

/**
 * Pairs of episodes that are too much alike: copies, the same path by dynamic time warping over 64 points, the
 * same video by difference hashes (catalogue, X01–X03).
 */
export function nearDuplicates(episodes: readonly TracedEpisode[]): readonly Likeness[] {
  const paths = scaledPaths(episodes);
  const found: Likeness[] = [];
  for (const [i, { file, id, digest, trace }] of episodes.entries()) {
    for (const [j, { id: other, digest: otherDigest, trace: otherTrace }] of episodes.slice(0, i).entries()) {
      if (digest === otherDigest || (trace && trace.digest === otherTrace?.digest)) {
        found.push({ check: 'X01', file, id, other, value: 0 });
        continue;
      }
      if (!trace || !otherTrace) continue;
      const [path, otherPath] = [paths[i]!, paths[j]!];
      if (path.length === 0 || path[0]!.length !== otherPath[0]?.length) continue;
      const distance = warpedDistance(path, otherPath);
      if (distance >= SIMILAR_PATH) continue;
      found.push({ check: 'X02', file, id, other, value: distance });
      const bits = videoDistance(trace, otherTrace);
      if (bits !== undefined && bits <= SAME_VIDEO_BITS)
        found.push({ check: 'X03', file, id, other, value: bits });
    }
  }
  return found;
}

/** Resampled to 64 points; joints by the range of the whole library, over the root of their number. */
function scaledPaths(episodes: readonly TracedEpisode[]): readonly (readonly (readonly number[])[])[] {
  const joints = Math.max(0, ...episodes.map(({ trace }) => trace?.path[0]?.length ?? 0));
  const ranges = Array.from({ length: joints }, (_, j) => {
    const values = episodes.flatMap(({ trace }) =>
      (trace?.path ?? []).flatMap((step) => (step[j] === undefined ? [] : [step[j]])),
    );
    return Math.max(quantile(values, 0.99) - quantile(values, 0.01), 1e-6) * Math.sqrt(joints);
  });
  return episodes.map(({ trace: { path } = { path: [] } }) =>
    path.length < 2
      ? []
      : Array.from({ length: POINTS }, (_, i) =>
          at(path, i / (POINTS - 1)).map((value, j) => value / ranges[j]!),
        ),
  );
}

function at(path: readonly (readonly number[])[], share: number): number[] {
  const place = share * (path.length - 1);
  const low = path[Math.floor(place)]!;
  const high = path[Math.ceil(place)]!;
  return low.map((value, j) => value + (high[j]! - value) * (place - Math.floor(place)));
}

/** Mean cost of a step along the best path in a Sakoe–Chiba band of 10 %. */
export function warpedDistance(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number {
  let costs = new Float64Array(b.length).fill(Number.POSITIVE_INFINITY);
  let steps = new Float64Array(b.length);
  for (let i = 0; i < a.length; i++) {
    const nextCosts = new Float64Array(b.length).fill(Number.POSITIVE_INFINITY);
    const nextSteps = new Float64Array(b.length);
    for (let j = Math.max(0, i - BAND); j <= Math.min(b.length - 1, i + BAND); j++) {
      const way = Math.hypot(...a[i]!.map((value, k) => value - b[j]![k]!));
      const before = [
        [costs[j]!, steps[j]!],
        [j > 0 ? costs[j - 1]! : Number.POSITIVE_INFINITY, j > 0 ? steps[j - 1]! : 0],
        [j > 0 ? nextCosts[j - 1]! : Number.POSITIVE_INFINITY, j > 0 ? nextSteps[j - 1]! : 0],
      ] as const;
      const best = before.reduce((least, each) => (each[0] < least[0] ? each : least));
      const isFirst = i === 0 && j === 0;
      nextCosts[j] = way + (isFirst ? 0 : best[0]);
      nextSteps[j] = 1 + (isFirst ? 0 : best[1]);
    }
    [costs, steps] = [nextCosts, nextSteps];
  }
  return costs.at(-1)! / steps.at(-1)!;
}

/** The camera whose pictures are most alike; undefined where no camera is in both. */
function videoDistance(a: Trace, b: Trace): number | undefined {
  const distances = [...a.hashes].flatMap(([camera, hashes]) => {
    const others = b.hashes.get(camera);
    if (!others) return [];
    return [hashes.reduce((sum, hash, i) => sum + hashDistance(hash, others[i]!), 0)];
  });
  return distances.length > 0 ? Math.min(...distances) : undefined;
}
