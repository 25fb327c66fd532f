import { basename } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { LibraryIndex } from '../schemas/library-index.ts';
import type { EpisodeList, EpisodeNeighbours, EpisodeSummary } from './api.ts';
import { type EpisodeQuery, facetsOf, select } from './episode-query.ts';
import type { EpisodeShelf } from './shelf.ts';

/** How long an answer waits for what has changed; after that it says how much is still to be read. */
const PATIENCE_MILLIS = 400;
/** Changes that the file system does not tell are seen after this long. */
const STALE_MILLIS = 2000;

/** Answers which episodes there are, by search, filter and order, without opening them each time. */
export class Catalogue {
  readonly #shelf: EpisodeShelf;
  /** By folder; one for the episodes of none. */
  readonly #indexes = new Map<string | undefined, LibraryIndex>();
  #episodes: readonly EpisodeSummary[] = [];
  #pending = 0;
  #refreshing: Promise<void> | undefined;
  #refreshedAt = Number.NEGATIVE_INFINITY;
  #changes = 1;
  #seenChanges = 0;
  readonly #unlisten: () => void;

  constructor(shelf: EpisodeShelf) {
    this.#shelf = shelf;
    this.#unlisten = shelf.listen(() => this.#changes++);
  }

  close(): void {
    this.#unlisten();
  }

  async list(query: EpisodeQuery): Promise<Omit<EpisodeList, 'isRecording'>> {
    await this.#refreshed();
    const found = select(this.#episodes, query);
    const { offset, limit } = query;
    return {
      episodes: found.slice(offset, offset + limit),
      matched: found.length,
      total: this.#episodes.length + this.#pending,
      pending: this.#pending,
      facets: facetsOf(this.#episodes),
    };
  }

  /** What lies before and after an episode in the list that a query gives. */
  async neighbours(id: string, query: EpisodeQuery): Promise<EpisodeNeighbours> {
    await this.#refreshed();
    const found = select(this.#episodes, query);
    const at = found.findIndex((episode) => episode.id === id);
    return {
      position: at < 0 ? null : at,
      matched: found.length,
      previous: (at > 0 && found[at - 1]?.id) || null,
      next: (at >= 0 && found[at + 1]?.id) || null,
    };
  }

  /** Waits for changes that are known of; others are looked for while the answer goes out. */
  async #refreshed(): Promise<void> {
    const isBehind = this.#changes !== this.#seenChanges;
    if (isBehind || performance.now() - this.#refreshedAt > STALE_MILLIS) {
      this.#refreshing ??= this.#refreshAll().finally(() => {
        this.#refreshing = undefined;
      });
      this.#refreshing.catch(() => {}); // told to whoever waits for it
    }
    if (isBehind) await Promise.race([this.#refreshing, setTimeout(PATIENCE_MILLIS)]);
  }

  async #refreshAll(): Promise<void> {
    do {
      const changes = this.#changes;
      await this.#refresh();
      this.#seenChanges = changes;
    } while (this.#seenChanges !== this.#changes);
    this.#refreshedAt = performance.now();
  }

  async #refresh(): Promise<void> {
    const shelved = await this.#shelf.list();
    const byFolder = Map.groupBy(shelved, ({ folder }) => folder);
    const gather = () => {
      const summaries = shelved.flatMap(({ id, file, folder }): EpisodeSummary[] => {
        const entry = this.#indexes.get(folder)?.get(file);
        return entry ? [{ id, fileName: basename(file), ...entry }] : [];
      });
      this.#episodes = summaries;
      this.#pending = shelved.length - summaries.length;
    };
    const timer = setInterval(gather, PATIENCE_MILLIS / 2);
    try {
      for (const [folder, episodes] of byFolder) {
        const index = this.#indexes.get(folder) ?? new LibraryIndex(folder);
        this.#indexes.set(folder, index);
        await index.refresh(episodes.map(({ file }) => file));
      }
    } finally {
      clearInterval(timer);
      gather();
    }
  }
}
