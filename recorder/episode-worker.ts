import { type MessagePort, parentPort } from 'node:worker_threads';
import { CONTRACT_ATTACHMENT, EPISODE_RECORD, type EpisodeInfo, LEDGER_RECORD } from '../schemas/episode.ts';
import { type ClosedEpisode, EpisodeWriter, type MessageToWrite } from '../schemas/episode-writer.ts';
import { encodeLedger, type Ledger, type Loss } from '../schemas/ledger.ts';
import type { ChannelSpec } from '../schemas/message.ts';

/** What the receiving thread asks of the thread that owns the file; carried out in order. */
export type WorkerRequest =
  | {
      readonly kind: 'open';
      readonly file: string;
      readonly info: EpisodeInfo;
      readonly contractText: string;
    }
  | { readonly kind: 'channel'; readonly spec: ChannelSpec }
  | { readonly kind: 'messages'; readonly messages: readonly MessageToWrite[]; readonly bytes: number }
  | { readonly kind: 'ledger'; readonly ledger: Ledger }
  | { readonly kind: 'close'; readonly ledger: Ledger };

/**
 * What it answers. After `failed` no message is taken any more, but the file can still be completed; after
 * `lost` it cannot, and stays as `.part`.
 */
export type WorkerReply =
  | { readonly kind: 'opened' }
  | { readonly kind: 'written'; readonly bytes: number }
  | { readonly kind: 'closed'; readonly episode: ClosedEpisode; readonly ledger: Ledger }
  | { readonly kind: 'failed' | 'lost'; readonly error: Error };

/** The thread that owns the file of one take: requests come in by messages. */
class EpisodeWorker {
  readonly #port: MessagePort;
  #writer: EpisodeWriter | undefined;
  readonly #topics: string[] = [];
  /** Messages that came after the disk had failed, by channel id. */
  readonly #skipped = new Map<number, Loss>();
  #isFailureTold = false;
  #tail: Promise<void> = Promise.resolve();

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (request: WorkerRequest) => {
      this.#tail = this.#tail.then(() => this.#handle(request)).catch((error: Error) => this.#lose(error));
    });
  }

  async #handle(request: WorkerRequest): Promise<void> {
    switch (request.kind) {
      case 'open':
        this.#writer = await EpisodeWriter.open(request.file);
        await this.#writer.addMetadata(EPISODE_RECORD, new Map(Object.entries(request.info)));
        await this.#writer.addAttachment({
          name: CONTRACT_ATTACHMENT,
          mediaType: 'application/yaml',
          logTime: BigInt(request.info.startTime),
          data: new TextEncoder().encode(request.contractText),
        });
        this.#reply({ kind: 'opened' });
        break;
      case 'channel':
        this.#topics.push(request.spec.topic);
        this.#writer?.addChannel(request.spec);
        break;
      case 'messages':
        for (const message of request.messages) {
          await this.#write(message);
          release(message);
        }
        this.#reply({ kind: 'written', bytes: request.bytes });
        break;
      case 'ledger':
        if (!this.#writer?.failure) await this.#writeLedger(request.ledger);
        break;
      case 'close':
        await this.#close(request.ledger);
        break;
      default:
        throw new TypeError(`Unknown request ${JSON.stringify(request satisfies never)}`);
    }
  }

  async #write(message: MessageToWrite): Promise<void> {
    const failure = this.#writer?.failure;
    if (failure) this.#tellFailure(failure);
    if (!this.#writer || failure) {
      this.#skip(message);
      return;
    }
    try {
      const full = this.#writer.write(message);
      if (full) await full;
    } catch (error) {
      this.#tellFailure(error as Error);
    }
  }

  /** Completes the file also after the disk has failed: what it holds is whole, and the ledger names the rest. */
  async #close(ledger: Ledger): Promise<void> {
    if (!this.#writer) return;
    await this.#writer.flush().catch((error: Error) => this.#tellFailure(error));
    const complete: Ledger = {
      ...ledger,
      losses: [...ledger.losses, ...this.#writer.losses, ...this.#skipped.values()],
    };
    await this.#writeLedger(complete);
    const episode = await this.#writer.close();
    this.#writer = undefined;
    this.#reply({ kind: 'closed', episode, ledger: complete });
  }

  async #writeLedger(ledger: Ledger): Promise<void> {
    await this.#writer?.addMetadata(LEDGER_RECORD, new Map([['ledger', encodeLedger(ledger)]]));
  }

  #skip({ channelId, logTime }: MessageToWrite): void {
    const topic = this.#topics[channelId]!;
    const last = this.#skipped.get(channelId);
    this.#skipped.set(channelId, {
      ...{ topic, cause: 'damaged', messages: (last?.messages ?? 0) + 1 },
      ...{ startTime: last?.startTime ?? logTime, endTime: logTime + 1n },
    });
  }

  #tellFailure(error: Error): void {
    if (this.#isFailureTold) return;
    this.#isFailureTold = true;
    this.#reply({ kind: 'failed', error });
  }

  async #lose(error: Error): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    this.#reply({ kind: 'lost', error });
    await writer?.abort();
  }

  #reply(reply: WorkerReply): void {
    this.#port.postMessage(reply);
  }
}

/**
 * Gives the message's memory back now that it lies in its chunk: at 166 MB/s the garbage collector would be
 * called several times a second, and hundreds of megabytes would wait for it.
 */
function release({ data: { buffer } }: MessageToWrite): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

if (parentPort) new EpisodeWorker(parentPort);
