import { CHANNELS, PictureLevels } from '../prepared/picture-levels.ts';
import {
  type CountedEpisode,
  type FeatureSummary,
  QUANTILES,
  type StatisticsTable,
} from './feature-statistics.ts';

/**
 * Statistics of a camera over the pixels that were counted of its pictures, each channel in 0 to 1. A byte has 256
 * values: counting them gives all statistics exactly, for a fraction of what adding up numbers one by one costs.
 */
export class PictureStatistics implements FeatureSummary {
  /** Broadcasts over [3, height, width]. */
  readonly shape: readonly number[] = [CHANNELS, 1, 1];
  readonly #dataset = new PictureLevels();
  #episode = new PictureLevels();

  readonly dataset = { table: () => tableOf(this.#dataset) };

  /** Adds the valid pictures of an episode. */
  add(levels: PictureLevels): void {
    this.#episode.merge(levels);
  }

  endEpisode({ isTraining = true }: CountedEpisode = {}): StatisticsTable {
    const episode = this.#episode;
    if (isTraining) this.#dataset.merge(episode);
    this.#episode = new PictureLevels();
    return tableOf(episode);
  }
}

function tableOf(levels: PictureLevels): StatisticsTable {
  const channels = Array.from({ length: CHANNELS }, (_, channel) => levels.channel(channel));
  const each = (of: (counts: Float64Array) => number) => Float64Array.from(channels, of).map((v) => v / 255);
  const [q01, q10, q50, q90, q99] = QUANTILES.map((q) => each((counts) => quantile(counts, q)));
  return {
    min: each((counts) => quantile(counts, 0)),
    max: each((counts) => quantile(counts, 1)),
    mean: each(mean),
    std: each(standardDeviation),
    ...{ q01: q01!, q10: q10!, q50: q50!, q90: q90!, q99: q99! },
    count: levels.frames,
  };
}

const total = (counts: Float64Array) => counts.reduce((sum, count) => sum + count, 0);

function mean(counts: Float64Array): number {
  return counts.reduce((sum, count, level) => sum + count * level, 0) / total(counts);
}

/** Of the population. */
function standardDeviation(counts: Float64Array): number {
  const centre = mean(counts);
  const squares = counts.reduce((sum, count, level) => sum + count * (level - centre) ** 2, 0);
  return Math.sqrt(squares / total(counts));
}

/** By linear interpolation, as `numpy.quantile`; NaN where nothing was counted. */
function quantile(counts: Float64Array, q: number): number {
  const rank = q * (total(counts) - 1);
  const low = levelAt(counts, Math.floor(rank));
  return low + (rank - Math.floor(rank)) * (levelAt(counts, Math.ceil(rank)) - low);
}

function levelAt(counts: Float64Array, rank: number): number {
  let below = 0;
  const level = counts.findIndex((count) => {
    below += count;
    return rank >= 0 && rank < below;
  });
  return level < 0 ? Number.NaN : level;
}
