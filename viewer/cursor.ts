import type { Message } from '../schemas/message.ts';

/** Reads ahead by one message. */
export class Cursor {
  /** What the player wanted when the cursor was opened. */
  readonly generation: number;
  readonly revision: number;
  /** Whether its messages are made as they are read. */
  readonly computes: boolean;
  /** Nothing was taken yet. */
  fresh = true;
  readonly #messages: AsyncGenerator<Message> | undefined;
  readonly #given: AbortController;
  #next: Promise<Message | undefined> | undefined;

  constructor(read: {
    readonly messages: AsyncGenerator<Message> | undefined;
    readonly given: AbortController;
    readonly computes: boolean;
    readonly generation: number;
    readonly revision: number;
  }) {
    this.#messages = read.messages;
    this.#given = read.given;
    this.computes = read.computes;
    this.generation = read.generation;
    this.revision = read.revision;
  }

  peek(): Promise<Message | undefined> {
    this.#next ??= Promise.resolve(this.#messages?.next()).then((result) =>
      result?.done ? undefined : result?.value,
    );
    return this.#next;
  }

  take(): void {
    this.#next = undefined;
    this.fresh = false;
  }

  async close(): Promise<void> {
    this.#given.abort();
    await this.#next?.catch(() => {}); // told to whoever peeked
    await this.#messages?.return(undefined);
  }
}
