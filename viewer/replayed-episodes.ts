import type { EpisodeReader } from '../schemas/episode-reader.ts';
import type { AdditionsOf, ReplayAddition } from '../schemas/replay-addition.ts';
import { type ReplayChannel, replayChannels } from './channels.ts';
import { ComposedRecording } from './composed-recording.ts';
import type { BorrowedEpisode, EpisodeShelf } from './shelf.ts';

/** An episode as it is replayed: its file's topics and those that are added to it. Give it back when done. */
export interface ReplayedEpisode extends BorrowedEpisode {
  readonly recording: ComposedRecording;
  readonly channels: readonly ReplayChannel[];
}

export interface ReplayedEpisodesOptions {
  /** What is added to each episode. @default nothing */
  readonly additionsOf?: AdditionsOf | undefined;
  readonly notice: (line: string) => void;
}

/** Opens episodes for replay; all clients of an episode share its reader and its additions. */
export class ReplayedEpisodes {
  readonly #shelf: EpisodeShelf;
  readonly #options: ReplayedEpisodesOptions;
  readonly #additions = new WeakMap<EpisodeReader, Promise<readonly ReplayAddition[]>>();

  constructor(shelf: EpisodeShelf, options: ReplayedEpisodesOptions) {
    this.#shelf = shelf;
    this.#options = options;
  }

  async ids(): Promise<readonly string[]> {
    return (await this.#shelf.list()).map(({ id }) => id);
  }

  /**
   * The episode of this id, or the first one; undefined when there is none.
   *
   * @throws {EpisodeError | UsageError} when the file cannot be read.
   */
  async open(id: string | null): Promise<ReplayedEpisode | undefined> {
    const shelved = await this.#shelf.find(id);
    if (!shelved) return undefined;
    const episode = await this.#shelf.borrow(shelved);
    const notice = (error: unknown) =>
      this.#options.notice(`Replay of "${episode.file}" lacks something: ${messageOf(error)}`);
    const additions = await this.#additionsOf(episode.reader, notice);
    const recording = new ComposedRecording(episode.reader, additions, notice);
    const channels = replayChannels([...episode.reader.channels.values(), ...recording.addedChannels]);
    return { ...episode, recording, channels };
  }

  /** Calls back with the id of an episode of which something new is known. @returns the end of it. */
  listen(changed: (episodeId: string) => void): () => void {
    return this.#shelf.listen(changed);
  }

  #additionsOf(reader: EpisodeReader, notice: (error: unknown) => void): Promise<readonly ReplayAddition[]> {
    const known = this.#additions.get(reader);
    const additions =
      known ??
      (this.#options.additionsOf?.(reader) ?? Promise.resolve([])).catch((error: unknown) => {
        notice(error);
        return [];
      });
    this.#additions.set(reader, additions);
    return additions;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
