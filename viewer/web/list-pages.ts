import type { EpisodeList, EpisodeSummary } from '../api.ts';
import { fetchEpisodes, watchLibrary } from './server.ts';

/** Rows fetched at once. */
const PAGE_ROWS = 100;
/** Changes within this time are fetched together. */
const CHANGED_MILLIS = 100;
/** How long to wait before asking how far the reading of a new library has come. */
const PENDING_MILLIS = 500;

/** The list that a query gives, fetched in pages as they come into sight. */
export class ListPages {
  readonly #query: URLSearchParams;
  readonly #changed: (fault?: string) => void;
  readonly #pages = new Map<number, readonly EpisodeSummary[]>();
  readonly #asked = new Set<number>();
  readonly #hangUp = new AbortController();
  readonly #unwatch: () => void;
  #timer: number | undefined;
  #shown: readonly [first: number, last: number] = [0, 0];
  /** The latest answer; undefined before the first. */
  head: EpisodeList | undefined;

  constructor(query: URLSearchParams, changed: (fault?: string) => void) {
    this.#query = query;
    this.#changed = changed;
    this.#unwatch = watchLibrary((id) => id !== undefined && this.#askAgain(CHANGED_MILLIS));
    void this.#fetch(0);
  }

  row(index: number): EpisodeSummary | undefined {
    return this.#pages.get(Math.floor(index / PAGE_ROWS))?.[index % PAGE_ROWS];
  }

  /** Makes sure that rows come, of which the last is left out. */
  show(first: number, last: number): void {
    const pages = [Math.floor(first / PAGE_ROWS), Math.floor(Math.max(first, last - 1) / PAGE_ROWS)] as const;
    this.#shown = pages;
    for (let page = pages[0]; page <= pages[1]; page++) if (!this.#asked.has(page)) void this.#fetch(page);
  }

  close(): void {
    this.#hangUp.abort();
    this.#unwatch();
    clearTimeout(this.#timer);
  }

  /** What is out of sight is forgotten, and asked for when it is seen. */
  #askAgain(afterMillis: number): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => {
      const [first, last] = this.#shown;
      for (const page of this.#pages.keys()) if (page < first || page > last) this.#pages.delete(page);
      this.#asked.clear();
      for (let page = first; page <= last; page++) void this.#fetch(page);
    }, afterMillis);
  }

  async #fetch(page: number): Promise<void> {
    this.#asked.add(page);
    const query = new URLSearchParams(this.#query);
    query.set('offset', String(page * PAGE_ROWS));
    query.set('limit', String(PAGE_ROWS));
    try {
      const list = await fetchEpisodes(query, this.#hangUp.signal);
      this.head = list;
      this.#pages.set(page, list.episodes);
      if (list.pending > 0) this.#askAgain(PENDING_MILLIS);
      this.#changed();
    } catch (error) {
      if (this.#hangUp.signal.aborted) return;
      this.#asked.delete(page);
      this.#changed(error instanceof Error ? error.message : String(error));
    }
  }
}
