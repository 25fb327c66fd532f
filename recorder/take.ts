import type { ContractFile } from '../schemas/contract-file.ts';
import type { EpisodeInfo } from '../schemas/episode.ts';
import { type EpisodeEvent, EVENTS_CHANNEL, encodeEvent } from '../schemas/episode-events.ts';
import type { ClosedEpisode } from '../schemas/episode-writer.ts';
import type { RecordError } from '../schemas/errors.ts';
import type { Ledger, Loss } from '../schemas/ledger.ts';
import type { ChannelSpec } from '../schemas/message.ts';
import type { MessageObserver } from '../schemas/message-observer.ts';
import type { StreamStatus } from '../schemas/recording-control.ts';
import { secsToNanos } from '../schemas/time.ts';
import { EpisodeThread } from './episode-thread.ts';
import type { SourceMessage } from './source.ts';
import { StreamWatch } from './stream-watch.ts';

/** The account is saved into the file this often while losses grow, for the case of a crash. */
const LEDGER_SAVE_NANOS = secsToNanos(1);

export interface TakeOptions {
  /** Path of the finished episode, ending in `.mcap`. */
  readonly file: string;
  readonly info: EpisodeInfo;
  /** Log time from which on messages belong to the take: its start, less the pre-roll. */
  readonly firstTime: bigint;
  readonly contractFile: ContractFile;
  /** Bound on messages between arrival and chunk, bytes. */
  readonly maxQueueBytes: number;
  /** Is shown every message. */
  readonly observer: MessageObserver | undefined;
}

/** One take from start to stop: its file, its channels, its account. */
export class Take {
  readonly info: EpisodeInfo;
  /** Log time of the start control. */
  readonly startTime: bigint;
  readonly #thread: EpisodeThread;
  readonly #watch: StreamWatch;
  readonly #observer: MessageObserver | undefined;
  readonly #channelIds = new Map<number, number>();
  #events = 0;
  #isPaused = false;
  #ledgerSavedAt: bigint;
  #lossesSaved = 0;
  #droppedDatagrams = 0;

  private constructor({ info, firstTime, contractFile, maxQueueBytes, observer }: TakeOptions) {
    this.info = info;
    this.startTime = BigInt(info.startTime);
    this.#ledgerSavedAt = this.startTime;
    this.#watch = new StreamWatch(contractFile.contract, firstTime);
    this.#thread = new EpisodeThread(maxQueueBytes);
    this.#observer = observer;
    observer?.takeStarted(info, firstTime);
  }

  /**
   * Begins at once: messages handed over before the file is there wait in the queue.
   *
   * @returns the take, and a promise that settles when its file is there or cannot be made.
   */
  static begin(options: TakeOptions): { take: Take; opened: Promise<void> } {
    const take = new Take(options);
    const opened = take.#thread.open(options.file, options.info, options.contractFile.text);
    take.#thread.addChannel(EVENTS_CHANNEL); // id 0
    return { take, opened };
  }

  /** Why the take broke off; undefined while all is well. */
  get failure(): RecordError | undefined {
    return this.#thread.failure;
  }

  /** Whether the operator marked a pause that he has not ended. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  get queuedBytes(): number {
    return this.#thread.queuedBytes;
  }

  room(): Promise<void> {
    return this.#thread.room();
  }

  addChannel(channelKey: number, spec: ChannelSpec): void {
    this.#channelIds.set(channelKey, 1 + this.#channelIds.size);
    this.#watch.addChannel(channelKey, spec);
    this.#thread.addChannel(spec);
    this.#observer?.channel(channelKey, spec);
  }

  /** Takes over the message's buffer. @throws {RangeError} for a channel that was never announced. */
  message(message: SourceMessage): void {
    const { logTime, publishTime = logTime, data } = message;
    const monitor = this.#watch.arrived(message);
    const channelId = this.#channelIds.get(message.channelKey)!;
    const sequence = monitor.received; // a refused message leaves a hole
    this.#observer?.message(message); // first: the queue takes the buffer over
    if (!this.#thread.offer({ channelId, sequence, logTime, publishTime, data })) {
      monitor.refused(logTime);
      this.#observer?.refused(message.channelKey, logTime);
    }
    if (logTime - this.#ledgerSavedAt > LEDGER_SAVE_NANOS) this.#saveLedger(logTime);
  }

  /** Takes note that the last publisher of a channel has left, or that one is back. */
  offered(channelKey: number, isOffered: boolean, time: bigint): void {
    this.#watch.offered(channelKey, isOffered, time);
  }

  /** Takes note of datagrams that the kernel dropped, whosever they were. */
  datagramsDropped(count: number): void {
    this.#droppedDatagrams += count;
  }

  /** Writes what the operator did among the messages. */
  event(event: EpisodeEvent, logTime: bigint): void {
    this.#isPaused = event.event === 'pause' || (this.#isPaused && event.event !== 'resume');
    this.#observer?.event(event, logTime);
    const data = encodeEvent(event).slice();
    this.#thread.offer({ channelId: 0, sequence: ++this.#events, logTime, publishTime: logTime, data });
  }

  /** Per topic, those of the contract first and in its order. */
  streams(now: bigint): readonly StreamStatus[] {
    return this.#watch.status(now);
  }

  /** Completes the file. @throws {RecordError} when that fails; the `.part` stays for recovery. */
  end(endTime: bigint): Promise<{ episode: ClosedEpisode; ledger: Ledger }> {
    this.#watch.ended(endTime);
    return this.#thread.close(this.#ledger(this.#watch.silences(endTime)));
  }

  #saveLedger(now: bigint): void {
    this.#ledgerSavedAt = now;
    const ledger = this.#ledger([]);
    if (ledger.losses.length === this.#lossesSaved) return;
    this.#lossesSaved = ledger.losses.length;
    this.#thread.saveLedger(ledger);
  }

  #ledger(further: readonly Loss[]): Ledger {
    const losses = [...this.#watch.losses(), ...further];
    return {
      totals: this.#watch.totals(),
      losses: losses.sort((a, b) => Number(a.startTime - b.startTime)),
      ...(this.#droppedDatagrams > 0 && { droppedDatagrams: this.#droppedDatagrams }),
    };
  }
}
