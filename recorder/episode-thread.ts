import { Worker } from 'node:worker_threads';
import type { EpisodeInfo } from '../schemas/episode.ts';
import type { ClosedEpisode, MessageToWrite } from '../schemas/episode-writer.ts';
import { RecordError } from '../schemas/errors.ts';
import type { Ledger } from '../schemas/ledger.ts';
import type { ChannelSpec } from '../schemas/message.ts';
import { workerFile } from '../schemas/worker-file.ts';
import type { WorkerReply, WorkerRequest } from './episode-worker.ts';
import { MessageQueue } from './message-queue.ts';

/** The receiving thread's handle on the thread that owns the file of one take. */
export class EpisodeThread {
  readonly #worker: Worker;
  readonly #queue: MessageQueue;
  readonly #opened = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<{ episode: ClosedEpisode; ledger: Ledger }>();
  #failure: RecordError | undefined;

  /** @param maxQueueBytes bound on messages between arrival and chunk. */
  constructor(maxQueueBytes: number) {
    // A failure before open() or close() is awaited is kept, not an unhandled rejection.
    this.#opened.promise.catch(() => {});
    this.#closed.promise.catch(() => {});
    this.#worker = new Worker(workerFile(import.meta.url, 'episode-worker'));
    this.#queue = new MessageQueue(maxQueueBytes, ({ messages, bytes }) =>
      this.#post(
        { kind: 'messages', messages, bytes },
        messages.map(({ data }) => data.buffer as ArrayBuffer),
      ),
    );
    this.#worker.on('message', (reply: WorkerReply) => this.#received(reply));
    this.#worker.on('error', (error) => this.#lose(error));
    this.#worker.on('exit', (code) => this.#lose(new Error(`the writing thread ended with code ${code}.`)));
  }

  /** Bytes that wait to be written. */
  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  /** Why the take broke off; undefined while all is well. */
  get failure(): RecordError | undefined {
    return this.#failure;
  }

  room(): Promise<void> {
    return this.#failure ? Promise.resolve() : this.#queue.room();
  }

  /**
   * Resolves when the file is there. Messages and channels may be handed over before.
   *
   * @throws {RecordError} when the file cannot be made.
   */
  open(file: string, info: EpisodeInfo, contractText: string): Promise<void> {
    this.#post({ kind: 'open', file, info, contractText });
    return this.#opened.promise;
  }

  /** Channels get ids in the order of these calls, from 0. */
  addChannel(spec: ChannelSpec): void {
    this.#queue.flush();
    this.#post({ kind: 'channel', spec });
  }

  /** Takes over the message's buffer, or refuses it: false. */
  offer(message: MessageToWrite): boolean {
    return this.#failure === undefined && this.#queue.offer(message);
  }

  saveLedger(ledger: Ledger): void {
    this.#post({ kind: 'ledger', ledger });
  }

  /**
   * Completes the file, also after the disk has failed, and ends the thread.
   *
   * @returns the episode and its ledger, with what a failing disk kept out of the file.
   * @throws {RecordError} when the file could not be completed; its `.part` stays.
   */
  async close(ledger: Ledger): Promise<{ episode: ClosedEpisode; ledger: Ledger }> {
    this.#queue.flush();
    this.#post({ kind: 'close', ledger });
    try {
      return await this.#closed.promise;
    } finally {
      this.#worker.removeAllListeners('exit');
      await this.#worker.terminate();
    }
  }

  #received(reply: WorkerReply): void {
    switch (reply.kind) {
      case 'opened':
        this.#opened.resolve();
        break;
      case 'written':
        this.#queue.released(reply.bytes);
        break;
      case 'closed':
        this.#closed.resolve(reply);
        break;
      case 'failed':
        this.#fail(reply.error, 'The take can be stopped now; what was written so far is whole.');
        break;
      case 'lost':
        this.#lose(reply.error);
        break;
    }
  }

  #lose(cause: Error): void {
    const stays = 'What was written so far stays as a ".part" file; run "kinescribe recover" on it.';
    this.#fail(cause, stays);
    this.#opened.reject(this.#failure);
    this.#closed.reject(this.#failure);
  }

  #fail(cause: Error, consequence: string): void {
    this.#failure ??= new RecordError(`Recording broke off: ${cause.message} ${consequence}`, { cause });
    this.#queue.released(0); // nobody waits for room in vain
  }

  #post(request: WorkerRequest, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transfer);
  }
}
