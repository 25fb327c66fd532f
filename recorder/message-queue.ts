import type { MessageToWrite } from '../schemas/episode-writer.ts';

/** What a message costs beside its payload while it waits. */
export const MESSAGE_OVERHEAD_BYTES = 128;

export interface QueueBatch {
  readonly messages: readonly MessageToWrite[];
  /** What the batch counts for; give it back by released(). */
  readonly bytes: number;
}

/**
 * The bounded way from the thread that receives to the thread that writes. A message counts from offer()
 * until the writer has taken it, so the bound holds for everything that waits anywhere in between.
 */
export class MessageQueue {
  readonly #maxBytes: number;
  readonly #send: (batch: QueueBatch) => void;
  #batch: MessageToWrite[] = [];
  #batchBytes = 0;
  #waitingBytes = 0;
  #flushing: NodeJS.Immediate | undefined;
  #wanted: (() => void)[] = [];

  /**
   * @param maxBytes bound on everything that waits, in bytes.
   * @param send hands a batch on; called once per turn of the event loop at most.
   */
  constructor(maxBytes: number, send: (batch: QueueBatch) => void) {
    this.#maxBytes = maxBytes;
    this.#send = send;
  }

  /** Bytes that wait, overhead included. */
  get bytes(): number {
    return this.#waitingBytes;
  }

  /** Takes a message, or refuses it when it does not fit. Never waits. */
  offer(message: MessageToWrite): boolean {
    const bytes = message.data.byteLength + MESSAGE_OVERHEAD_BYTES;
    if (this.#waitingBytes + bytes > this.#maxBytes) return false;
    this.#waitingBytes += bytes;
    this.#batchBytes += bytes;
    this.#batch.push(message);
    this.#flushing ??= setImmediate(() => this.flush());
    return true;
  }

  /** Sends what has gathered now. */
  flush(): void {
    clearImmediate(this.#flushing);
    this.#flushing = undefined;
    if (this.#batch.length === 0) return;
    const batch = { messages: this.#batch, bytes: this.#batchBytes };
    this.#batch = [];
    this.#batchBytes = 0;
    this.#send(batch);
  }

  /** The writer has taken a batch of this many bytes. */
  released(bytes: number): void {
    this.#waitingBytes -= bytes;
    if (this.#waitingBytes * 2 > this.#maxBytes) return;
    for (const resolve of this.#wanted.splice(0)) resolve();
  }

  /** Resolves while, or as soon as, less than half of the bound is taken. */
  room(): Promise<void> {
    if (this.#waitingBytes * 2 <= this.#maxBytes) return Promise.resolve();
    return new Promise((resolve) => this.#wanted.push(resolve));
  }
}
