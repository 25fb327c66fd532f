import { encodePlayFrom, type ServerFrame } from './foxglove-frames.ts';

/** How far one channel has been received. */
interface Progress {
  readonly isLatched: boolean;
  /** Time of the newest message, how many of that time there were, and how many came since the last seek. */
  time: bigint;
  count: number;
  again: number;
}

/**
 * Plays a server's recording from its beginning to its end, each message once. A connection that breaks is
 * no loss here, because a replay can wait: the next one goes on from the message that came last. On the way
 * servers send some messages a second time, which this tells from new ones: the latest of each topic at a
 * seek, and latched ones ahead of their time.
 */
export class ReplayProgress {
  readonly #startTime: bigint;
  readonly #channels = new Map<number, Progress>();
  /** Newest message that was played, not sent ahead of its time. */
  #playedTime: bigint | undefined;
  #seekTime: bigint;
  #requests = 0;
  #phase: 'idle' | 'asked' | 'seeking' | 'playing' | 'ended' = 'idle';

  /** @param startTime first instant of the recording. */
  constructor(startTime: bigint) {
    this.#startTime = startTime;
    this.#seekTime = startTime;
  }

  get hasEnded(): boolean {
    return this.#phase === 'ended';
  }

  /** How far it has been played; undefined before the first message. */
  get playedTime(): bigint | undefined {
    return this.#playedTime;
  }

  /** The request to send once the topics of a connection are subscribed to. */
  play(): Uint8Array<ArrayBuffer> {
    const resumeTime = this.#playedTime === undefined ? this.#startTime : this.#playedTime - 1n;
    this.#seekTime = resumeTime > this.#startTime ? resumeTime : this.#startTime;
    this.#phase = 'asked';
    for (const channel of this.#channels.values()) channel.again = 0;
    return encodePlayFrom(this.#seekTime, this.#requestId(++this.#requests));
  }

  /** The connection is gone: nothing counts until the next play() is answered. */
  interrupted(): void {
    if (this.#phase !== 'ended') this.#phase = 'idle';
  }

  playbackState({ hasEnded, requestId }: Extract<ServerFrame, { op: 'playbackState' }>): void {
    if (this.#phase === 'asked' && requestId === this.#requestId(this.#requests)) this.#phase = 'seeking';
    if (this.#isRunning() && hasEnded) this.#phase = 'ended';
  }

  time(time: bigint): void {
    if (this.#phase !== 'seeking' || time <= this.#seekTime) return;
    this.#phase = 'playing';
    // What was latched was sent ahead of its time, and comes again when its time has come.
    for (const channel of this.#channels.values()) {
      if (channel.isLatched && channel.time > this.#seekTime) channel.again = 0;
    }
  }

  /** Whether a message is to be recorded: it is played, and has not been received before. */
  isNew(channelKey: number, time: bigint, isLatched: boolean): boolean {
    if (!this.#isRunning()) return false;
    let channel = this.#channels.get(channelKey);
    if (!channel) {
      channel = { isLatched, time, count: 0, again: 0 };
      this.#channels.set(channelKey, channel);
    }
    if (time < channel.time) return false;
    if (time > channel.time) {
      channel.time = time;
      channel.count = 0;
      channel.again = 0;
    }
    const isAhead = isLatched && this.#phase === 'seeking' && time > this.#seekTime;
    if (!isAhead && time > (this.#playedTime ?? -1n)) this.#playedTime = time;
    if (++channel.again <= channel.count) return false;
    channel.count++;
    return true;
  }

  #isRunning(): boolean {
    return this.#phase === 'seeking' || this.#phase === 'playing' || this.#phase === 'ended';
  }

  #requestId(number: number): string {
    return `kinescribe-${number}`;
  }
}
