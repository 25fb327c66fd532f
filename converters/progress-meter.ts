export interface ConvertProgress {
  /** Recordings are decoded and compressed first, then the datasets are written of what came of them. */
  readonly stage: 'preparing' | 'writing';
  readonly episodesDone: number;
  readonly episodes: number;
  readonly framesDone: number;
  /** Over all episodes; while preparing an estimate from the length of those not yet read. */
  readonly framesExpected: number;
  /** Mean since the start of the stage. */
  readonly framesPerSec: number;
}

/** Counts the frames of a stage's episodes, several of which may be under way. */
export class ProgressMeter {
  readonly #stage: ConvertProgress['stage'];
  readonly #listener: ((progress: ConvertProgress) => void) | undefined;
  /** Of each episode. */
  readonly #expected: number[];
  readonly #counted: number[];
  readonly #startMillis = performance.now();
  #episodesDone = 0;
  #framesDone = 0;
  #framesExpected: number;

  constructor(
    stage: ConvertProgress['stage'],
    episodes: readonly { readonly expectedFrames: number }[],
    listener: ((progress: ConvertProgress) => void) | undefined,
  ) {
    this.#stage = stage;
    this.#listener = listener;
    this.#expected = episodes.map(({ expectedFrames }) => expectedFrames);
    this.#counted = episodes.map(() => 0);
    this.#framesExpected = this.#expected.reduce((sum, frames) => sum + frames, 0);
  }

  frames(episode: number, count = 1): void {
    this.#counted[episode]! += count;
    this.#framesDone += count;
    this.#tell();
  }

  /** The episode has no more frames than were counted. */
  done(episode: number): void {
    this.#episodesDone++;
    this.#framesExpected += this.#counted[episode]! - this.#expected[episode]!;
  }

  #tell(): void {
    const secs = (performance.now() - this.#startMillis) / 1000;
    this.#listener?.({
      stage: this.#stage,
      episodesDone: this.#episodesDone,
      episodes: this.#expected.length,
      framesDone: this.#framesDone,
      framesExpected: this.#framesExpected,
      framesPerSec: this.#framesDone / secs,
    });
  }
}
