import {
  type CollectionPlan,
  nextTarget,
  type PlannedTake,
  planProgress,
  type TargetProgress,
} from '../schemas/collection-plan.ts';
import type { EpisodeInfo } from '../schemas/episode.ts';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { EpisodeError } from '../schemas/errors.ts';
import { currentLabels, readLabels } from '../schemas/labels.ts';
import { openLibrary } from '../schemas/library.ts';
import { Limit } from '../schemas/limit.ts';
import type { PlanStatus } from '../schemas/recording-control.ts';

/** A library has thousands of files, a process may open a thousand. */
const OPEN_FILES = 16;

/** A library on its way to what its plan asks for. The folder is the truth: nothing is counted beside it. */
export class Collection {
  readonly #directory: string;
  readonly #plan: CollectionPlan;
  /** What never changes of an episode, by file; undefined for a file that no recorder of ours wrote. */
  readonly #infos = new Map<string, EpisodeInfo | undefined>();
  #progress: readonly TargetProgress[] = [];

  /** Makes the folder if need be and counts what it holds. */
  static async open(directory: string, plan: CollectionPlan): Promise<Collection> {
    const collection = new Collection(directory, plan);
    await collection.look();
    return collection;
  }

  private constructor(directory: string, plan: CollectionPlan) {
    this.#directory = directory;
    this.#plan = plan;
  }

  /** Counts again: takes come and go, and reviews change what was said of them. */
  async look(): Promise<void> {
    const { episodes } = await openLibrary(this.#directory);
    const files = new Limit(OPEN_FILES);
    const takes = await Promise.all(episodes.map((file) => files.run(() => this.#takeOf(file))));
    this.#progress = planProgress(
      this.#plan,
      takes.filter((take) => take !== undefined),
    );
  }

  status(operator: string): PlanStatus {
    const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
    return {
      next: nextTarget(this.#progress, operator),
      done: sum(this.#progress.map(({ done }) => done)),
      count: sum(this.#plan.targets.map(({ count }) => count)),
    };
  }

  async #takeOf(file: string): Promise<PlannedTake | undefined> {
    const info = await this.#infoOf(file);
    if (!info) return undefined;
    const { outcome, decision } = currentLabels(await readLabels(file));
    return { info, outcome: outcome?.label.value, decision: decision?.label.value };
  }

  async #infoOf(file: string): Promise<EpisodeInfo | undefined> {
    if (!this.#infos.has(file)) this.#infos.set(file, await readInfo(file));
    return this.#infos.get(file);
  }
}

async function readInfo(file: string): Promise<EpisodeInfo | undefined> {
  try {
    await using reader = await EpisodeReader.open(file);
    return await reader.info();
  } catch (error) {
    if (error instanceof EpisodeError) return undefined; // a broken file is nobody's successful take
    throw error;
  }
}
