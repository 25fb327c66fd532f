import type { Contract } from '../../schemas/contract.ts';
import type { DataColumn } from '../lerobot/data-columns.ts';
import { type CountedEpisode, type FeatureSummary, nested } from '../lerobot/feature-statistics.ts';

/** Statistics that LeRobot v2.1 knows, and those that GR00T reads; it takes every further one for a vector. */
const EPISODE_NAMES = ['min', 'max', 'mean', 'std'] as const;
const DATASET_NAMES = ['mean', 'std', 'min', 'max', 'q01', 'q99'] as const;

/**
 * The statistics of the episode that ends, as a line of `episodes_stats.jsonl` holds them. LeRobot v2.1 takes
 * every key with "image" in it for a picture, so ages and masks of pictures have none. A feature is left out
 * where an element was never seen, since JSON has no NaN; LeRobot aggregates over the episodes that have it.
 */
export function episodeStatistics(
  statistics: ReadonlyMap<string, FeatureSummary>,
  { features }: Contract,
  episode?: CountedEpisode,
): object {
  const json: Record<string, object> = {};
  for (const [key, feature] of statistics) {
    const { count, ...table } = feature.endEpisode(episode);
    const misread = key.includes('image') && features[key]?.kind !== 'image';
    if (misread || !table.mean.every(Number.isFinite)) continue;
    const entries = EPISODE_NAMES.map((name) => [name, nested(table[name], feature.shape)] as const);
    json[key] = { ...Object.fromEntries(entries), count: [count] };
  }
  return json;
}

/** The content of GR00T's `stats.json`: every floating-point column, over the valid values only. */
export function datasetStatistics(
  statistics: ReadonlyMap<string, FeatureSummary>,
  columns: readonly DataColumn[],
): object {
  const json: Record<string, object> = {};
  for (const { name, dtype, shape } of columns) {
    if (dtype !== 'float32' && dtype !== 'float64') continue;
    const table = statistics.get(name)!.dataset.table();
    if (!table.mean.every(Number.isFinite)) continue;
    json[name] = Object.fromEntries(DATASET_NAMES.map((each) => [each, nested(table[each], shape)]));
  }
  return json;
}
