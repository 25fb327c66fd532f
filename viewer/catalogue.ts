import { basename } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { LibraryEntry } from '../schemas/library-entry.ts';
import { LibraryIndex } from '../schemas/library-index.ts';
import type { EpisodeList, EpisodeNeighbours, EpisodeSummary } from './api.ts';
import { type EpisodeQuery, facetsOf, select } from './episode-query.ts';
import type { EpisodeShelf, ShelvedEpisode } from './shelf.ts';

/** How long an answer waits for what has changed; after that it says how much is still to be read. */
const PATIENCE_MILLIS = 2000;
/** How often a waiting question looks whether enough was read. */
const GATHER_MILLIS = 50;
/** Changes that the file system does not tell are seen after this long. */
const STALE_MILLIS = 2000;

/** Answers which episodes there are, by search, filter and order, without opening them each time. */
export class Catalogue {
  readonly #shelf: EpisodeShelf;
  /** By folder; one for the episodes of none. */
  readonly #indexes = new Map<string | undefined, LibraryIndex>();
  #episodes: readonly EpisodeSummary[] = [];
  #shelved: readonly ShelvedEpisode[] = [];
  readonly #summaries = new WeakMap<LibraryEntry, EpisodeSummary>();
  /** Whether every file was looked at; until then episodes may be shown as they once were. */
  #isVerified = false;
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
    const { offset, limit } = query;
    await this.#refreshed(offset + limit);
    const found = select(this.#episodes, query);
    return {
      episodes: found.slice(offset, offset + limit),
      matched: found.length,
      total: this.#shelved.length,
      pending: Math.max(this.#shelved.length - this.#episodes.length, this.#isVerified ? 0 : 1),
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

  /**
   * Waits for changes that are known of; others are looked for while the answer goes out. Of a library that is
   * opened for the first time so many episodes are enough to begin with.
   */
  async #refreshed(enough = Number.POSITIVE_INFINITY): Promise<void> {
    const isBehind = this.#changes !== this.#seenChanges;
    if (isBehind || performance.now() - this.#refreshedAt > STALE_MILLIS) {
      this.#refreshing ??= this.#refreshAll().finally(() => {
        this.#refreshing = undefined;
      });
      this.#refreshing.catch(() => {}); // told to whoever waits for it
    }
    if (!isBehind) return;
    const end = performance.now() + PATIENCE_MILLIS;
    while (this.#refreshing && performance.now() < end) {
      await Promise.race([this.#refreshing, setTimeout(GATHER_MILLIS)]);
      this.#gather();
      if (!this.#isVerified && this.#episodes.length >= enough) return;
    }
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
    this.#shelved = await this.#shelf.list();
    for (const [folder, episodes] of Map.groupBy(this.#shelved, (episode) => episode.folder)) {
      const index = this.#indexes.get(folder) ?? new LibraryIndex(folder);
      this.#indexes.set(folder, index);
      await index.refresh(episodes.map(({ file }) => file));
    }
    this.#isVerified = true;
    this.#gather();
  }

  /** Puts together what was read so far; an episode that has not changed keeps its object. */
  #gather(): void {
    this.#episodes = this.#shelved.flatMap(({ id, file, folder }): EpisodeSummary[] => {
      const entry = this.#indexes.get(folder)?.get(file);
      if (!entry) return [];
      const known = this.#summaries.get(entry);
      if (known?.id === id) return [known];
      const summary = { id, fileName: basename(file), ...entry };
      this.#summaries.set(entry, summary);
      return [summary];
    });
  }
}
