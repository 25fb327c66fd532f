import type { Message } from '../schemas/message.ts';
import { type Clock, NANOS_PER_SEC } from '../schemas/time.ts';
import { backfill } from './backfill.ts';
import { Cursor } from './cursor.ts';
import type { PlaybackState, PlaybackStatus } from './protocol.ts';
import type { Recording } from './recording.ts';

/** What comes next, in the order in which a client must get it. */
export type PlaybackEvent =
  | {
      readonly kind: 'message';
      readonly message: Message;
      /** The playback's own time: the message's logTime, or later for a message sent again. */
      readonly time: bigint;
      /** Sent again after a seek or a subscription, whatever its age. */
      readonly backfill: boolean;
    }
  /** Nothing was due, the time went on. */
  | { readonly kind: 'time'; readonly time: bigint }
  | { readonly kind: 'state'; readonly state: PlaybackState };

/** A wish; what is absent stays as it is. Seek comes first, then speed, then play or pause. */
export interface PlaybackChange {
  readonly seekTime?: bigint;
  /** Recorded seconds per second; below 0.01 it is 0.01, non-finite values are ignored. */
  readonly speed?: number;
  readonly playing?: boolean;
  readonly requestId?: string;
}

export interface PlaybackClock extends Clock {
  /** Resolves after so many nanoseconds of this clock, or at once when the signal is aborted. */
  sleep(nanos: bigint, signal: AbortSignal): Promise<void>;
}

export interface PlayerOptions {
  readonly clock: PlaybackClock;
  /** How many of a topic's last messages to send again; 0: only the last, and only if there is one. */
  readonly latchedDepth: (topic: string) => number;
}

/** Time goes on at 60 Hz where no message carries it. */
const TICK_NANOS = NANOS_PER_SEC / 60n;
/** Screens draw every 16 ms: waking for each of 1,500 messages a second costs more than being 4 ms late. */
const NAP_NANOS = 4_000_000n;
/** A reader that falls behind by more than this makes the playback wait instead of rushing after it. */
const MAX_LAG_NANOS = NANOS_PER_SEC / 4n;
const MIN_SPEED = 0.01;
/** A client that asks for more without reading the answers gets only the newest ones. */
const MAX_UNREAD_STATES = 100;

/**
 * Plays one episode for one client: says when which message is due. `time` is where the client is: every
 * message of its topics up to and including that instant has been yielded.
 */
export class Player {
  readonly startTime: bigint;
  /** Log time of the last message, where playback ends. */
  readonly lastTime: bigint;
  readonly #recording: Recording;
  readonly #clock: PlaybackClock;
  readonly #latchedDepth: (topic: string) => number;
  readonly #topics = new Set<string>();
  /** Topics whose latest message the client lacks. */
  readonly #missing = new Set<string>();
  readonly #states: PlaybackState[] = [];
  #time: bigint;
  #status: PlaybackStatus = 'paused';
  #speed = 1;
  /** Where the clock and the time stood when they were last tied together. */
  #anchor = { wall: 0n, time: 0n };
  /** Counts seeks: what was begun under an older number is dropped. */
  #generation = 0;
  /** Aborted by the next seek. */
  #seek = new AbortController();
  /** Counts changes of what the cursor must deliver. */
  #revision = 0;
  /** Cursors that were given up, until they have let go of the recording. */
  readonly #closing = new Set<Promise<void>>();
  #closed = false;
  #wake = new AbortController();

  constructor(recording: Recording, { clock, latchedDepth }: PlayerOptions) {
    this.#recording = recording;
    this.#clock = clock;
    this.#latchedDepth = latchedDepth;
    this.startTime = recording.startTime;
    this.lastTime = recording.endTime > recording.startTime ? recording.endTime - 1n : recording.startTime;
    this.#time = this.startTime;
  }

  get state(): PlaybackState {
    return { status: this.#status, currentTime: this.#time, speed: this.#speed, didSeek: false };
  }

  /** Adds a topic; its latest message comes next, whether playing or not. */
  subscribe(topic: string): void {
    this.#topics.add(topic);
    this.#missing.add(topic);
    this.#changeCursor();
  }

  unsubscribe(topic: string): void {
    this.#topics.delete(topic);
    this.#missing.delete(topic);
    this.#changeCursor();
  }

  /** Sends a topic's latest message again: there is a newer one. */
  refresh(topic: string): void {
    if (this.#topics.has(topic)) this.subscribe(topic);
  }

  /** Applies a wish; a state that answers it is yielded before any message that follows from it. */
  control({ seekTime, speed, playing, requestId }: PlaybackChange): void {
    if (seekTime !== undefined) {
      this.#generation++;
      this.#seek.abort();
      this.#seek = new AbortController();
      this.#time = clamp(seekTime, this.startTime, this.lastTime);
      for (const topic of this.#topics) this.#missing.add(topic);
      // The end is sticky: only a seek leaves it.
      if (this.#status === 'ended') this.#status = 'paused';
      this.#changeCursor();
    }
    if (speed !== undefined && Number.isFinite(speed)) this.#speed = Math.max(MIN_SPEED, speed);
    if (playing !== undefined && this.#status !== 'ended') this.#status = playing ? 'playing' : 'paused';
    this.#tie();
    if (this.#states.length >= MAX_UNREAD_STATES) this.#states.shift();
    this.#states.push({
      ...this.state,
      didSeek: seekTime !== undefined,
      ...(requestId !== undefined && { requestId }),
    });
    this.#wakeUp();
  }

  /** Ends `events`. */
  close(): void {
    this.#closed = true;
    this.#seek.abort();
    this.#wakeUp();
  }

  /** What the client must get, in order, when it is due. Iterate once; a slow reader slows the playback. */
  async *events(): AsyncGenerator<PlaybackEvent, void> {
    let cursor = this.#openCursor();
    try {
      while (!this.#closed) {
        if (this.#wake.signal.aborted) this.#wake = new AbortController();
        const state = this.#states.shift();
        if (state) {
          yield { kind: 'state', state };
          continue;
        }
        const isStale = cursor.fresh && cursor.revision !== this.#revision;
        if (isStale || cursor.generation !== this.#generation) cursor = this.#reopen(cursor);
        if (cursor.fresh && this.#missing.size > 0) {
          yield* this.#backfill(); // before the cursor reads: a seek shows its picture first
          continue;
        }
        // A client that only looks around needs nothing of what follows: reading ahead would delay its next seek.
        if (cursor.fresh && this.#status !== 'playing') {
          await onAbort(this.#wake.signal);
          continue;
        }
        // A wish comes before what takes its time; a file's own topics take none worth a promise per message.
        if (cursor.computes) await settledOrAborted(cursor.peek(), this.#wake.signal);
        if (cursor.computes && this.#wake.signal.aborted) continue;
        const next = await cursor.peek();
        if (cursor.generation !== this.#generation) continue;
        // Messages of one instant belong together: changes of topics wait until all of them are out.
        const between = cursor.fresh || next?.logTime !== this.#time;
        if (between && cursor.revision !== this.#revision) cursor = this.#reopen(cursor);
        else if (between && this.#status !== 'playing') await onAbort(this.#wake.signal);
        else yield* this.#advance(cursor, next);
      }
    } finally {
      this.#letGo(cursor);
      await Promise.all(this.#closing);
    }
  }

  /** Yields what is due now or sleeps a little. */
  async *#advance(cursor: Cursor, next: Message | undefined): AsyncGenerator<PlaybackEvent, void> {
    const dueTime = next?.logTime ?? this.lastTime;
    const clockTime = this.#clockTime();
    if (dueTime <= clockTime) {
      if (next) {
        cursor.take();
        this.#time = dueTime;
        if (this.#wall(clockTime - dueTime) > MAX_LAG_NANOS) this.#tie();
        yield { kind: 'message', message: next, time: dueTime, backfill: false };
      } else {
        this.#time = this.lastTime;
        this.#status = 'ended';
        this.#states.push(this.state);
      }
      return;
    }
    if (clockTime - this.#time >= this.#recorded(TICK_NANOS)) {
      this.#time = clockTime;
      yield { kind: 'time', time: clockTime };
    }
    const nanos = this.#wall(dueTime - clockTime);
    await this.#clock.sleep(clamp(nanos, NAP_NANOS, TICK_NANOS), this.#wake.signal);
  }

  /** What the client lacks at this instant; a newer seek ends it early. */
  async *#backfill(): AsyncGenerator<PlaybackEvent, void> {
    const generation = this.#generation;
    const time = this.#time;
    const isCancelled = () => generation !== this.#generation || this.#closed;
    const topics = new Set(this.#missing);
    this.#missing.clear();
    const { computedTopics = new Set() } = this.#recording;
    const { signal } = this.#seek;
    for (const part of [topics.difference(computedTopics), topics.intersection(computedTopics)]) {
      if (part.size === 0) continue;
      const found = backfill(this.#recording, {
        time,
        topics: part,
        latchedDepth: this.#latchedDepth,
        signal,
      });
      await settledOrAborted(found, signal);
      if (isCancelled()) {
        this.#untilSettled(found);
        return;
      }
      for (const message of await found) {
        if (isCancelled()) return;
        // Unsubscribed meanwhile: nobody waits for it.
        if (!this.#topics.has(message.channel.topic)) continue;
        yield { kind: 'message', message, time, backfill: true };
      }
    }
  }

  #reopen(cursor: Cursor): Cursor {
    this.#letGo(cursor);
    return this.#openCursor();
  }

  /** Nobody waits for a cursor that is given up: it may be in the middle of something long. */
  #letGo(cursor: Cursor): void {
    this.#untilSettled(cursor.close());
  }

  #untilSettled(work: Promise<unknown>): void {
    const settled = work.then(
      () => {},
      () => {}, // of a place that was left
    );
    this.#closing.add(settled);
    void settled.then(() => this.#closing.delete(settled));
  }

  #openCursor(): Cursor {
    const given = new AbortController();
    const { signal } = given;
    const messages =
      this.#topics.size === 0
        ? undefined
        : this.#recording.messages({ topics: this.#topics, startTime: this.#time + 1n, signal });
    const { computedTopics } = this.#recording;
    return new Cursor({
      messages,
      given,
      computes: computedTopics !== undefined && !computedTopics.isDisjointFrom(this.#topics),
      generation: this.#generation,
      revision: this.#revision,
    });
  }

  #changeCursor(): void {
    this.#revision++;
    this.#wakeUp();
  }

  #wakeUp(): void {
    this.#wake.abort();
  }

  /** Playback goes on from `time` as of now. */
  #tie(): void {
    this.#anchor = { wall: this.#clock.now(), time: this.#time };
  }

  /** Where the playback should be; never past the end. */
  #clockTime(): bigint {
    const elapsed = this.#clock.now() - this.#anchor.wall;
    return clamp(this.#anchor.time + this.#recorded(elapsed), this.#time, this.lastTime);
  }

  #recorded(wallNanos: bigint): bigint {
    return BigInt(Math.round(Number(wallNanos) * this.#speed));
  }

  #wall(recordedNanos: bigint): bigint {
    return BigInt(Math.ceil(Number(recordedNanos) / this.#speed));
  }
}

/** Resolves when either has happened; whether the work failed is for who awaits it. */
function settledOrAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      signal.removeEventListener('abort', done);
      resolve();
    };
    signal.addEventListener('abort', done);
    work.then(done, done);
  });
}

function onAbort(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function clamp(value: bigint, low: bigint, high: bigint): bigint {
  return value < low ? low : value > high ? high : value;
}
