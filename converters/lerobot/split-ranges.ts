import { TRAINING } from '../split.ts';
import type { CountedEpisode } from './feature-statistics.ts';

/** Counts the episodes of each split, which follow each other, into the ranges of `info.json`. */
export class SplitRanges {
  readonly #counts = new Map<string, number>();

  /** @returns whether the episode counts for the dataset's statistics. */
  add(split = TRAINING): CountedEpisode {
    this.#counts.set(split, (this.#counts.get(split) ?? 0) + 1);
    return { isTraining: split === TRAINING };
  }

  /** Half-open ranges of episodes, `0:8`, by split. */
  json(): Readonly<Record<string, string>> {
    const ranges: Record<string, string> = {};
    let from = 0;
    for (const [split, count] of this.#counts) {
      ranges[split] = `${from}:${from + count}`;
      from += count;
    }
    return ranges;
  }
}
