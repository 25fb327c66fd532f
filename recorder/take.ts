import type { ContractFile } from '../schemas/contract-file.ts';
import type { EpisodeInfo } from '../schemas/episode.ts';
import type { ClosedEpisode } from '../schemas/episode-writer.ts';
import type { RecordError } from '../schemas/errors.ts';
import type { Ledger, Loss } from '../schemas/ledger.ts';
import type { ChannelSpec } from '../schemas/message.ts';
import { secsToNanos } from '../schemas/time.ts';
import { EpisodeThread } from './episode-thread.ts';
import type { SourceMessage } from './source.ts';
import { StreamMonitor, type StreamStatus } from './stream-monitor.ts';

/** The account is saved into the file this often while losses grow, for the case of a crash. */
const LEDGER_SAVE_NANOS = secsToNanos(1);

export interface TakeOptions {
  /** Path of the finished episode, ending in `.mcap`. */
  readonly file: string;
  readonly info: EpisodeInfo;
  readonly contractFile: ContractFile;
  /** Bound on messages between arrival and chunk, bytes. */
  readonly maxQueueBytes: number;
}

/** One take from start to stop: its file, its channels, its account. */
export class Take {
  readonly info: EpisodeInfo;
  readonly startTime: bigint;
  readonly #contractFile: ContractFile;
  readonly #thread: EpisodeThread;
  readonly #channelIds = new Map<number, number>();
  readonly #monitors: StreamMonitor[] = [];
  #ledgerSavedAt: bigint;
  #lossesSaved = 0;

  private constructor({ info, contractFile, maxQueueBytes }: TakeOptions) {
    this.info = info;
    this.startTime = BigInt(info.startTime);
    this.#ledgerSavedAt = this.startTime;
    this.#contractFile = contractFile;
    this.#thread = new EpisodeThread(maxQueueBytes);
  }

  /**
   * Begins at once: messages handed over before the file is there wait in the queue.
   *
   * @returns the take, and a promise that settles when its file is there or cannot be made.
   */
  static begin(options: TakeOptions): { take: Take; opened: Promise<void> } {
    const take = new Take(options);
    const opened = take.#thread.open(options.file, options.info, options.contractFile.text);
    return { take, opened };
  }

  /** Why the take broke off; undefined while all is well. */
  get failure(): RecordError | undefined {
    return this.#thread.failure;
  }

  get queuedBytes(): number {
    return this.#thread.queuedBytes;
  }

  room(): Promise<void> {
    return this.#thread.room();
  }

  addChannel(channelKey: number, spec: ChannelSpec): void {
    this.#channelIds.set(channelKey, this.#monitors.length);
    const named = Object.entries(this.#contractFile.contract.streams).find(([, s]) => s.topic === spec.topic);
    this.#monitors.push(new StreamMonitor(spec, named, this.startTime));
    this.#thread.addChannel(spec);
  }

  /** Takes over the message's buffer. */
  message({ channelKey, logTime, publishTime, data }: SourceMessage): void {
    const channelId = this.#channelIds.get(channelKey);
    const monitor = channelId === undefined ? undefined : this.#monitors[channelId];
    if (channelId === undefined || !monitor) {
      throw new RangeError(`Message for channel ${channelKey}, which the source never announced`);
    }
    monitor.arrived(logTime, data);
    const sequence = monitor.received; // a refused message leaves a hole
    if (!this.#thread.offer({ channelId, sequence, logTime, publishTime: publishTime ?? logTime, data })) {
      monitor.refused(logTime);
    }
    if (logTime - this.#ledgerSavedAt > LEDGER_SAVE_NANOS) this.#saveLedger(logTime);
  }

  /** Per topic, those of the contract first and in its order. */
  streams(now: bigint): readonly StreamStatus[] {
    const order = Object.values(this.#contractFile.contract.streams).map(({ topic }) => topic);
    const place = ({ topic }: StreamStatus) => order.indexOf(topic) >>> 0; // -1 goes last
    return this.#monitors.map((monitor) => monitor.status(now)).sort((a, b) => place(a) - place(b));
  }

  /** Completes the file. @throws {RecordError} when that fails; the `.part` stays for recovery. */
  async end(endTime: bigint): Promise<{ episode: ClosedEpisode; ledger: Ledger }> {
    for (const monitor of this.#monitors) monitor.ended(endTime);
    const ledger = this.#ledger([...this.#silentStreams(endTime)]);
    return { episode: await this.#thread.close(ledger), ledger };
  }

  *#silentStreams(endTime: bigint): Generator<Loss> {
    const heard = new Set(this.#monitors.filter(({ received }) => received > 0).map(({ topic }) => topic));
    for (const { topic, required } of Object.values(this.#contractFile.contract.streams)) {
      if (!required || heard.has(topic)) continue;
      yield { topic, cause: 'silent', messages: null, startTime: this.startTime, endTime };
    }
  }

  #saveLedger(now: bigint): void {
    this.#ledgerSavedAt = now;
    const ledger = this.#ledger([]);
    if (ledger.losses.length === this.#lossesSaved) return;
    this.#lossesSaved = ledger.losses.length;
    this.#thread.saveLedger(ledger);
  }

  #ledger(further: readonly Loss[]): Ledger {
    const losses = [...this.#monitors.flatMap(({ losses }) => losses), ...further];
    return {
      totals: this.#monitors.map(({ topic, received, written }) => ({ topic, received, written })),
      losses: losses.sort((a, b) => Number(a.startTime - b.startTime)),
    };
  }
}
