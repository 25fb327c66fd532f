import { type MessagePort, parentPort } from 'node:worker_threads';
import { CONTRACT_ATTACHMENT, EPISODE_RECORD, type EpisodeInfo, LEDGER_RECORD } from '../schemas/episode.ts';
import { type ClosedEpisode, EpisodeWriter, type MessageToWrite } from '../schemas/episode-writer.ts';
import { encodeLedger, type Ledger } from '../schemas/ledger.ts';
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

/** What it answers. After `failed` the take is over; its file stays as `.part`. */
export type WorkerReply =
  | { readonly kind: 'opened' }
  | { readonly kind: 'written'; readonly bytes: number }
  | { readonly kind: 'closed'; readonly episode: ClosedEpisode }
  | { readonly kind: 'failed'; readonly error: Error };

/** The thread that owns the file: requests come in by messages, one take after another. */
class EpisodeWorker {
  readonly #port: MessagePort;
  #writer: EpisodeWriter | undefined;
  #tail: Promise<void> = Promise.resolve();

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (request: WorkerRequest) => {
      this.#tail = this.#tail.then(() => this.#handle(request)).catch((error: Error) => this.#fail(error));
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
        this.#writer?.addChannel(request.spec);
        break;
      case 'messages':
        // After a failure what is still under way is let go; the receiving thread counts it.
        for (const message of this.#writer ? request.messages : []) {
          const full = this.#writer?.write(message);
          if (full) await full;
        }
        this.#reply({ kind: 'written', bytes: request.bytes });
        break;
      case 'ledger':
        await this.#writeLedger(request.ledger);
        break;
      case 'close': {
        if (!this.#writer) break;
        await this.#writeLedger(request.ledger);
        const episode = await this.#writer.close();
        this.#writer = undefined;
        this.#reply({ kind: 'closed', episode });
        break;
      }
      default:
        throw new TypeError(`Unknown request ${JSON.stringify(request satisfies never)}`);
    }
  }

  async #writeLedger(ledger: Ledger): Promise<void> {
    await this.#writer?.addMetadata(LEDGER_RECORD, new Map([['ledger', encodeLedger(ledger)]]));
  }

  async #fail(error: Error): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    this.#reply({ kind: 'failed', error });
    await writer?.abort();
  }

  #reply(reply: WorkerReply): void {
    this.#port.postMessage(reply);
  }
}

if (parentPort) new EpisodeWorker(parentPort);
