import type { EntryOf, Label } from '../../schemas/labels.ts';
import type { EpisodeLabels, Json } from '../api.ts';
import { fetchLabels, sendStatement, watchLibrary } from './server.ts';

export type SaidLabel = Json<Label>;
export type SaidMark = Json<EntryOf<'mark'>>;

export interface LabelState {
  /** Undefined until it is known. */
  readonly labels: EpisodeLabels | undefined;
  /** Who judges here; empty until someone says so. */
  readonly author: string;
  /** Why the last statement was not taken; empty while all is well. */
  readonly fault: string;
}

const AUTHOR_KEY = 'kinescribe.author';

/** What is said of one episode: by this page, and by others at the same time. */
export class LabelStore {
  readonly #episodeId: string;
  readonly #changed: () => void;
  readonly #unwatch: () => void;
  #state: LabelState = { labels: undefined, author: localStorage.getItem(AUTHOR_KEY) ?? '', fault: '' };
  /** Statements go out one after another, so that each can replace what came before it. */
  #sending: Promise<void> = Promise.resolve();

  constructor(episodeId: string, changed: () => void) {
    this.#episodeId = episodeId;
    this.#changed = changed;
    this.#unwatch = watchLibrary((id) => {
      if (id === undefined || id === episodeId) void this.#refetch();
    });
    void this.#refetch();
  }

  get state(): LabelState {
    return this.#state;
  }

  close(): void {
    this.#unwatch();
  }

  setAuthor(author: string): void {
    localStorage.setItem(AUTHOR_KEY, author);
    this.#set({ author });
  }

  /** Says something new, or in the place of an entry. */
  say(label: SaidLabel, replaces?: string): Promise<void> {
    return this.#send(() => ({ label, ...(replaces !== undefined && { replaces }) }));
  }

  /** Says one of the labels of which only one holds; saying again what holds takes it back. */
  judge(label: Extract<SaidLabel, { value: unknown }>): Promise<void> {
    return this.#send(({ current }) => {
      const held = current[label.kind];
      const isHeld = held?.label.value === label.value;
      return { label: isHeld ? { kind: 'removal' } : label, ...(held && { replaces: held.id }) };
    });
  }

  undo(): Promise<void> {
    return this.#takeBack((history) => history.done.at(-1));
  }

  redo(): Promise<void> {
    return this.#takeBack((history) => history.undone.at(-1)?.by);
  }

  #takeBack(choose: (history: OwnHistory) => string | undefined): Promise<void> {
    return this.#send(({ entries }) => {
      const entry = choose(ownHistory(entries, this.#state.author));
      return entry === undefined ? undefined : { label: { kind: 'undo', entry } };
    });
  }

  #send(
    statementOf: (labels: EpisodeLabels) => { label: SaidLabel; replaces?: string } | undefined,
  ): Promise<void> {
    this.#sending = this.#sending.then(async () => {
      const { labels, author } = this.#state;
      const statement = labels && statementOf(labels);
      if (!statement) return;
      if (!author) {
        this.#set({ fault: 'Say who you are first.' });
        return;
      }
      const whole = { id: newId(), author, ...statement };
      try {
        // A statement whose answer was lost is not said twice: it bears the same id.
        const send = () => sendStatement(this.#episodeId, whole);
        this.#set({
          labels: await send().catch((error) =>
            error instanceof TypeError ? send() : Promise.reject(error),
          ),
          fault: '',
        });
      } catch (error) {
        this.#set({ fault: `Not saved: ${error instanceof Error ? error.message : String(error)}` });
      }
    });
    return this.#sending;
  }

  async #refetch(): Promise<void> {
    try {
      this.#set({ labels: await fetchLabels(this.#episodeId) });
    } catch (error) {
      this.#set({ fault: error instanceof Error ? error.message : String(error) });
    }
  }

  #set(change: Partial<LabelState>): void {
    this.#state = { ...this.#state, ...change };
    this.#changed();
  }
}

/** What its author can undo and redo, the latest last. */
export interface OwnHistory {
  readonly done: readonly string[];
  readonly undone: readonly { readonly entry: string; readonly by: string }[];
}

/** Each author undoes what is his own, also after a reload. */
export function ownHistory(entries: EpisodeLabels['entries'], author: string): OwnHistory {
  const done: string[] = [];
  let undone: { entry: string; by: string }[] = [];
  for (const { id, label, author: by } of entries) {
    if (by !== author) continue;
    if (label.kind !== 'undo') {
      done.push(id);
      undone = [];
      continue;
    }
    const redone = undone.findIndex((each) => each.by === label.entry);
    const at = done.lastIndexOf(label.entry);
    if (redone >= 0) done.push(undone.splice(redone, 1)[0]!.entry);
    else if (at >= 0) undone.push({ entry: done.splice(at, 1)[0]!, by: id });
  }
  return { done, undone };
}

/** Browsers make UUIDs only for pages of this machine or over TLS. */
function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
