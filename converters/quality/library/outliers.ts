import type { CheckedEpisode } from '../check-episode.ts';
import { median, medianDeviation, SIGMAS_PER_MAD, spearman } from '../robust.ts';

/** Fewer say nothing of how episodes of a task vary. */
const FEWEST_EPISODES = 20;
/** A correlation needs some episodes per feature. */
const EPISODES_PER_FEATURE = 4;
const MOST_FEATURES = 20;
/** Standard deviations that chance exceeds once in 1000. */
export const OUTLIER_Z = 3.09;

export interface Outlier {
  readonly file: string;
  /** How unlikely, in standard deviations. */
  readonly value: number;
  /** Ids of the findings whose values are furthest from the others', the furthest first. */
  readonly features: readonly string[];
  /** Episodes of the same task. */
  readonly episodes: number;
}

/**
 * Episodes that differ from the others of their task, be it in many values a little: robust Mahalanobis distance of
 * what the checks measured (catalogue, X10).
 */
export function outliersOf(episodes: readonly CheckedEpisode[]): readonly Outlier[] {
  const tasks = Map.groupBy(episodes, ({ info }) => info?.task);
  return [...tasks.values()].flatMap((group) =>
    group.length < FEWEST_EPISODES ? [] : outliersOfTask(group),
  );
}

interface Feature {
  readonly id: string;
  /** By episode, in robust standard deviations from the median. */
  readonly z: readonly number[];
}

function outliersOfTask(group: readonly CheckedEpisode[]): readonly Outlier[] {
  const features = featuresOf(group);
  const count = features.length;
  if (count === 0) return [];
  // Towards independence where few episodes tell of many features.
  const trust = group.length / (group.length + count);
  const correlations = features.map(({ z }, i) =>
    features.map((other, j) => (i === j ? 1 : trust * 2 * Math.sin((Math.PI / 6) * spearman(z, other.z)))),
  );
  const root = cholesky(correlations);
  const squares = group.map((_, e) =>
    squaredLength(
      root,
      features.map(({ z }) => z[e]!),
    ),
  );
  // Tails heavier than a normal distribution's, of most episodes, make none of them an outlier.
  const stretch = Math.max(1, median(squares) / (count * (1 - 2 / (9 * count)) ** 3));
  return group.flatMap(({ file }, e): Outlier[] => {
    const value = normalOf(squares[e]! / stretch, count);
    if (value <= OUTLIER_Z) return [];
    const furthest = features.toSorted((a, b) => Math.abs(b.z[e]!) - Math.abs(a.z[e]!));
    return [{ file, value, features: furthest.slice(0, 3).map(({ id }) => id), episodes: group.length }];
  });
}

/** Values that every episode has and that vary. */
function featuresOf(group: readonly CheckedEpisode[]): readonly Feature[] {
  const valuesOf = group.map(
    ({ findings }) =>
      new Map(findings.flatMap(({ id, value }) => (value === undefined ? [] : [[id, value]]))),
  );
  const found: Feature[] = [];
  for (const id of valuesOf[0]!.keys()) {
    const values = valuesOf.flatMap((each) => each.get(id) ?? []);
    if (values.length < group.length || new Set(values).size < group.length / 2) continue;
    const [middle, deviation] = [median(values), SIGMAS_PER_MAD * medianDeviation(values)];
    if (deviation > 0) found.push({ id, z: values.map((value) => (value - middle) / deviation) });
  }
  return found.slice(0, Math.min(MOST_FEATURES, Math.floor(group.length / EPISODES_PER_FEATURE)));
}

/** Lower triangle L with L·Lᵀ = matrix; what rank correlations leave short of positive is lifted to a trace. */
function cholesky(matrix: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const root: number[][] = [];
  for (const [i, row] of matrix.entries()) {
    root.push([]);
    for (let j = 0; j <= i; j++) {
      let rest = row[j]!;
      for (let k = 0; k < j; k++) rest -= root[i]![k]! * root[j]![k]!;
      root[i]!.push(i === j ? Math.sqrt(Math.max(rest, 0.05)) : rest / root[j]![j]!);
    }
  }
  return root;
}

/** xᵀ·(L·Lᵀ)⁻¹·x. */
function squaredLength(root: readonly (readonly number[])[], x: readonly number[]): number {
  const solved: number[] = [];
  for (const [i, row] of root.entries()) {
    let rest = x[i]!;
    for (let k = 0; k < i; k++) rest -= row[k]! * solved[k]!;
    solved.push(rest / row[i]!);
  }
  return solved.reduce((sum, value) => sum + value * value, 0);
}

/** A chi-square value as standard deviations of a normal one (Wilson and Hilferty 1931). */
function normalOf(square: number, degrees: number): number {
  const spread = 2 / (9 * degrees);
  return (Math.cbrt(square / degrees) - (1 - spread)) / Math.sqrt(spread);
}
