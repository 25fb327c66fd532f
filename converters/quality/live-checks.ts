import { Worker } from 'node:worker_threads';
import type { EpisodeInfo } from '../../schemas/episode.ts';
import type { EpisodeEvent } from '../../schemas/episode-events.ts';
import type { ChannelSpec } from '../../schemas/message.ts';
import type { MessageObserver, ObservedMessage, TakeFindings } from '../../schemas/message-observer.ts';
import { workerFile } from '../../schemas/worker-file.ts';
import type { CheckReply, CheckRequest, LiveChecksOptions, ShownMessage } from './live-checks-messages.ts';
import { Sampler } from './sampler.ts';
import { unchecked } from './verdict.ts';

/** Messages wait this long for others before they cross to the checking thread together. */
const BATCH_MILLIS = 100;
const BATCH_BYTES = 256 * 1024;
/** The operator hears of a fault at most this much later than the checks see it. */
const LOOK_MILLIS = 500;
/** A checking thread that cannot keep up is shown no more until it has caught up. */
const MOST_BATCHES = 50;

/**
 * All checks on a thread of their own, while a take is recorded. Shown are the times of every message, small
 * messages whole, and four pictures a second of each camera; each is copied once.
 */
export class LiveChecks implements MessageObserver {
  readonly #worker: Worker;
  readonly #exited: Promise<unknown>;
  readonly #samplers = new Map<number, Sampler>();
  readonly #counts = new Map<number, number>();
  #messages: ShownMessage[] = [];
  #buffer = new Uint8Array(BATCH_BYTES);
  #used = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #looking: NodeJS.Timeout;
  #latest: { readonly logTime: bigint; readonly atMillis: number } | undefined;
  #batchesAway = 0;
  #unseen = 0;
  #current: readonly string[] = [];
  #ended: PromiseWithResolvers<TakeFindings | undefined> | undefined;
  #fault: string | undefined;

  constructor(options: LiveChecksOptions) {
    this.#worker = new Worker(workerFile(import.meta.url, 'live-checks-worker'), { workerData: options });
    this.#worker.on('message', (reply: CheckReply) => this.#received(reply));
    this.#worker.on('error', (error) => this.#broken(error.message));
    this.#exited = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#worker.unref();
    // After a stall, messages that wait in the sockets come before the look.
    this.#looking = setInterval(() => setImmediate(() => this.#look()), LOOK_MILLIS).unref();
  }

  takeStarted(info: EpisodeInfo, firstTime: bigint): void {
    this.#samplers.clear();
    this.#counts.clear();
    this.#current = [];
    this.#unseen = 0;
    this.#latest = undefined;
    this.#post({ kind: 'start', info, firstTime });
  }

  channel(channelKey: number, spec: ChannelSpec): void {
    this.#flush();
    this.#samplers.set(channelKey, new Sampler(spec));
    this.#post({ kind: 'channel', channelKey, spec });
  }

  message({ channelKey, logTime, publishTime = logTime, data }: ObservedMessage): void {
    const sampler = this.#samplers.get(channelKey);
    if (!sampler || this.#fault !== undefined) return;
    this.#latest = { logTime, atMillis: performance.now() };
    const sequence = (this.#counts.get(channelKey) ?? 0) + 1;
    this.#counts.set(channelKey, sequence);
    if (this.#batchesAway >= MOST_BATCHES) {
      this.#unseen++;
      return;
    }
    const { data: shown, ...sampled } = sampler.sample(data, logTime);
    this.#messages.push({ channelKey, logTime, publishTime, sequence, ...sampled, data: this.#copy(shown) });
    this.#timer ??= setTimeout(() => this.#flush(), BATCH_MILLIS).unref();
  }

  refused(channelKey: number, logTime: bigint): void {
    this.#flush();
    this.#post({ kind: 'refused', channelKey, logTime });
  }

  event(event: EpisodeEvent, logTime: bigint): void {
    this.#flush();
    this.#post({ kind: 'event', event: { ...event, logTime } });
  }

  takeEnded(endTime: bigint, file: string | undefined): Promise<TakeFindings | undefined> {
    this.#flush();
    this.#latest = undefined;
    if (this.#fault !== undefined) return Promise.resolve(unchecked(brokenOff(this.#fault)));
    this.#ended = Promise.withResolvers();
    this.#post({ kind: 'end', endTime, file, unseen: this.#unseen });
    return this.#ended.promise;
  }

  current(): readonly string[] {
    return this.#fault === undefined ? this.#current : [brokenOff(this.#fault)];
  }

  /** The verdict on a take that is over is still told, and its findings are stored. */
  async close(): Promise<void> {
    clearInterval(this.#looking);
    this.#flush();
    this.#worker.ref();
    this.#post({ kind: 'close' });
    await this.#exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The copy crosses to the other thread without being copied again. */
  #copy(data: Uint8Array): Uint8Array {
    if (data.byteLength > BATCH_BYTES) return data.slice();
    if (this.#used + data.byteLength > BATCH_BYTES) this.#flush();
    const copy = this.#buffer.subarray(this.#used, this.#used + data.byteLength);
    copy.set(data);
    this.#used += data.byteLength;
    return copy;
  }

  /** When everything falls silent only this clock goes on. */
  #look(): void {
    if (!this.#latest || this.#fault !== undefined) return;
    const { logTime, atMillis } = this.#latest;
    this.#flush();
    this.#post({ kind: 'look', now: logTime + BigInt(Math.round((performance.now() - atMillis) * 1e6)) });
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const messages = this.#messages;
    if (messages.length === 0) return;
    this.#messages = [];
    this.#batchesAway++;
    this.#post({ kind: 'messages', messages }, [
      ...new Set(messages.map(({ data }) => data.buffer as ArrayBuffer)),
    ]);
    this.#buffer = new Uint8Array(BATCH_BYTES);
    this.#used = 0;
  }

  #received(reply: CheckReply): void {
    switch (reply.kind) {
      case 'seen':
        this.#batchesAway--;
        break;
      case 'current':
        this.#current = reply.texts;
        break;
      case 'checked':
        this.#ended?.resolve(reply.findings);
        this.#ended = undefined;
        break;
      default:
        reply satisfies never;
    }
  }

  /** A fault of a check must not end the recording. */
  #broken(message: string): void {
    this.#fault ??= message;
    this.#ended?.resolve(unchecked(brokenOff(message)));
  }

  #post(request: CheckRequest, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transfer);
  }
}

function brokenOff(fault: string): string {
  return `the checks broke off: ${fault}`;
}
