import { setTimeout as delay } from 'node:timers/promises';
import { SourceError, UsageError } from '../schemas/errors.ts';
import { type Clock, MonotonicClock } from '../schemas/time.ts';
import { FollowedClock } from './followed-clock.ts';
import { ServerChannels } from './foxglove-channels.ts';
import { FoxgloveConnection } from './foxglove-connection.ts';
import { diagnoseServer } from './foxglove-diagnosis.ts';
import { encodeSubscribe, type ServerFrame, type ServerInfo } from './foxglove-frames.ts';
import { ReplayProgress } from './foxglove-replay.ts';
import {
  connectionBack,
  connectionBroke,
  doubtsAbout,
  noLongerOffered,
  notUnderstood,
  serverSays,
} from './foxglove-warnings.ts';
import { isLatched } from './latched-messages.ts';
import type { Source, SourceOptions, SourceSink, SourceWarning } from './source.ts';
import type { TopicSet } from './topic-choice.ts';

export interface FoxgloveSourceOptions {
  /** Gives logTime on arrival, where the server has no clock of its own. @default a MonotonicClock */
  readonly clock?: Clock;
  /** How long a server may take to introduce itself, seconds. @default 5 */
  readonly openingSecs?: number;
  /** Silence after which a server that kept on sending is connected to anew, seconds. @default 10 */
  readonly silenceSecs?: number;
}

/** Pause before the first attempt to connect again; it doubles up to the longest. */
const FIRST_PAUSE_MILLIS = 250;
const LONGEST_PAUSE_MILLIS = 5000;
/** A replay plays this long after its channels were subscribed to: a take that begins at once holds it all. */
const PLAY_DELAY_MILLIS = 300;
/** Messages may come after the word that a replay has ended. */
const END_DELAY_MILLIS = 300;
/** The same words of a server are passed on again after this long. */
const REPEAT_MILLIS = 10_000;
/** A hostile server must not fill a screen by inventing new words. */
const MAX_WORDS = 100;

/**
 * Connects to a robot that runs a Foxglove bridge, to a simulation or to a replay. Needs no ROS here.
 *
 * The messages of a robot get their log time on arrival and their publish time from the server. A server
 * with the capability `time` gives both: see {@link FollowedClock}. A replay, known by the capability
 * `playbackControl`, is played from its beginning to its end: see {@link ReplayProgress}.
 *
 * @throws {UsageError} when the address is no WebSocket's.
 * @throws {SourceError} when no Foxglove server answers there; says what to check.
 */
export async function openFoxgloveSource(
  address: string,
  options: FoxgloveSourceOptions = {},
): Promise<Source> {
  const url = URL.parse(address);
  if (url?.protocol !== 'ws:' && url?.protocol !== 'wss:') {
    throw new UsageError(
      `Cannot record from "${address}": the address of a Foxglove bridge begins with "ws://" or "wss://". ` +
        'Give it as "ws://<robot>:8765".',
    );
  }
  const source = new FoxgloveSource(url, options);
  await source.open();
  return source;
}

class FoxgloveSource implements Source {
  readonly name = 'foxglove';
  readonly #url: URL;
  /** For people; without the query, which may hold a secret. */
  readonly #address: string;
  readonly #openingMillis: number;
  readonly #silenceMillis: number;
  readonly #ownClock: Clock;
  readonly #channels = new ServerChannels();
  readonly #stopping = new AbortController();
  readonly #timeCame = Promise.withResolvers<void>();
  /** When words of the server were last passed on. */
  readonly #said = new Map<string, number>();
  #serverClock: FollowedClock | undefined;
  #replay: ReplayProgress | undefined;
  #info: ServerInfo | undefined;
  #connection: FoxgloveConnection | undefined;
  #reconnecting: Promise<void> | undefined;
  #sink: SourceSink | undefined;
  #topics: TopicSet | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(url: URL, { clock, openingSecs = 5, silenceSecs = 10 }: FoxgloveSourceOptions) {
    this.#url = url;
    this.#address = url.origin + url.pathname;
    this.#ownClock = clock ?? new MonotonicClock();
    this.#openingMillis = openingSecs * 1000;
    this.#silenceMillis = silenceSecs * 1000;
  }

  get clock(): Clock {
    return this.#serverClock ?? this.#ownClock;
  }

  async open(): Promise<void> {
    try {
      await this.#connect();
    } catch (cause) {
      throw this.#refused(await diagnoseServer(this.#url, this.#openingMillis), cause);
    }
    if (!this.#hasOwnTime() || this.#serverClock) return;
    const late = this.#refused(
      'the server has the capability "time" but announces no time. Start the simulation or the playback that gives it',
    );
    const timeout = setTimeout(() => this.#timeCame.reject(late), this.#openingMillis);
    try {
      await this.#timeCame.promise;
    } catch (error) {
      await this.stop();
      throw error;
    } finally {
      clearTimeout(timeout);
    }
  }

  async start(sink: SourceSink, { topics }: SourceOptions = {}): Promise<void> {
    if (this.#sink) throw new TypeError('A Foxglove source starts once; open another one.');
    this.#sink = sink;
    this.#topics = topics;
    if (this.#connection) this.#begin(this.#connection);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    this.#connection?.close();
    await this.#reconnecting;
  }

  async #connect(): Promise<void> {
    this.#channels.forget();
    const { signal } = this.#stopping;
    const handlers = {
      frame: (frame: ServerFrame) => this.#guarded(() => this.#handle(frame)),
      fault: (found: string) => this.#pass(notUnderstood(this.#address, found)),
      closed: (why: string) => this.#guarded(() => this.#lost(why)),
    };
    const timeoutMillis = this.#openingMillis;
    const connection = await FoxgloveConnection.open(this.#url, handlers, { timeoutMillis, signal });
    if (!connection.isOpen) throw new SourceError('The server introduced itself and hung up.');
    this.#connection = connection;
    if (!this.#replay) connection.watchSilence(this.#silenceMillis);
    if (this.#sink) this.#begin(connection);
  }

  /** Subscribes to what the new connection offers, and lets a replay play. */
  #begin(connection: FoxgloveConnection): void {
    this.#subscribe(connection);
    const replay = this.#replay;
    if (replay) this.#timer = setTimeout(() => connection.send(replay.play()), PLAY_DELAY_MILLIS);
  }

  #handle(frame: ServerFrame): void {
    switch (frame.op) {
      case 'serverInfo':
        this.#introduced(frame);
        return;
      case 'status':
        if (frame.level > 0) this.#pass(serverSays(frame.message)); // 0 is for information
        return;
      case 'advertise':
        this.#channels.advertised(frame.channels);
        if (this.#sink && this.#connection) this.#subscribe(this.#connection);
        return;
      case 'unadvertise':
        for (const id of frame.channelIds) {
          const gone = this.#channels.unadvertised(id);
          if (!gone) continue;
          this.#warn(noLongerOffered(gone.spec.topic));
          this.#sink?.offered?.(gone.key, false);
        }
        return;
      case 'messageData':
        this.#messageCame(frame);
        return;
      case 'time':
        this.#timeAnnounced(frame.time);
        return;
      case 'playbackState':
        this.#replay?.playbackState(frame);
        if (this.#replay?.hasEnded) this.#timer = setTimeout(() => this.#end(), END_DELAY_MILLIS);
        return;
      default:
        frame satisfies never;
    }
  }

  #introduced(info: ServerInfo): void {
    const before = this.#info;
    this.#info = info;
    const { dataStartTime, sessionId } = info;
    if (before === undefined) {
      if (!info.capabilities.includes('playbackControl') || dataStartTime === undefined) return;
      this.#replay = new ReplayProgress(dataStartTime);
      this.#serverClock = new FollowedClock(dataStartTime);
    } else if (this.#replay && before.dataStartTime !== dataStartTime) {
      this.#breakOff(new Error('the server plays another recording than before'));
    } else if (before.sessionId !== sessionId) this.#channels.forget();
  }

  #subscribe(connection: FoxgloveConnection): void {
    const { subscriptions, appeared, returned } = this.#channels.subscribe(this.#topics);
    for (const { key } of returned) this.#sink?.offered?.(key, true);
    for (const { key, spec } of appeared) {
      for (const doubt of doubtsAbout(spec, this.#channels.typesOf(spec.topic))) this.#warn(doubt);
      this.#sink?.channel(key, spec);
    }
    if (subscriptions.length > 0) connection.send(encodeSubscribe(subscriptions));
  }

  #messageCame({ subscriptionId, time, payload }: Extract<ServerFrame, { op: 'messageData' }>): void {
    const channel = this.#channels.of(subscriptionId);
    if (!channel) return; // of a session that is over
    if (this.#replay && !this.#replay.isNew(channel.key, time, isLatched(channel.spec))) return;
    const announced = this.#replay ? this.#replay.playedTime : time;
    if (announced !== undefined) this.#serverClock?.follow(announced);
    this.#sink?.message({
      channelKey: channel.key,
      logTime: this.#serverClock?.timeOf(time) ?? this.#ownClock.now(),
      ...(time !== 0n && { publishTime: time }),
      data: payload,
    });
  }

  #timeAnnounced(time: bigint): void {
    if (this.#replay) {
      this.#replay.time(time);
    } else if (this.#hasOwnTime()) {
      this.#serverClock ??= new FollowedClock(time);
      this.#timeCame.resolve();
      this.#serverClock.follow(time);
    }
  }

  #hasOwnTime(): boolean {
    return this.#info?.capabilities.includes('time') === true;
  }

  #lost(why: string): void {
    if (!this.#connection) return; // it was not yet taken for open: whoever opens it sees that
    this.#connection = undefined;
    clearTimeout(this.#timer);
    if (this.#replay?.hasEnded) {
      this.#end();
      return;
    }
    this.#replay?.interrupted();
    this.#warn(connectionBroke(this.#address, why, this.#replay !== undefined));
    this.#reconnecting = this.#reconnect();
  }

  async #reconnect(): Promise<void> {
    const { signal } = this.#stopping;
    const lostMillis = performance.now();
    for (
      let pause = FIRST_PAUSE_MILLIS;
      !this.#connection;
      pause = Math.min(2 * pause, LONGEST_PAUSE_MILLIS)
    ) {
      await delay(pause, undefined, { signal }).catch(() => {}); // stopped: the next line sees it
      if (signal.aborted) return;
      await this.#connect().catch(() => {}); // the operator knows that this goes on until it succeeds
    }
    const secs = (performance.now() - lostMillis) / 1000;
    this.#warn(connectionBack(this.#address, secs, this.#replay !== undefined));
  }

  #end(): void {
    if (this.#stopping.signal.aborted) return;
    void this.stop();
    this.#sink?.ended();
  }

  /** Ends delivery for good. */
  #breakOff(cause: unknown): void {
    if (this.#stopping.signal.aborted) return;
    void this.stop();
    const found = cause instanceof Error ? cause.message : String(cause);
    this.#sink?.failed(new SourceError(`Recording from "${this.#address}" broke off: ${found}.`, { cause }));
  }

  #refused(found: string, cause?: unknown): SourceError {
    return new SourceError(`Cannot record from "${this.#address}": ${found}.`, { cause });
  }

  /** Nothing may be thrown into the platform's event loop, where nobody would catch it. */
  #guarded(step: () => void): void {
    if (this.#stopping.signal.aborted) return;
    try {
      step();
    } catch (error) {
      this.#breakOff(error);
    }
  }

  /** Passes on what a server says, not the same again and again. */
  #pass(warning: SourceWarning): void {
    const now = performance.now();
    const before = this.#said.get(warning.message);
    if (before === undefined ? this.#said.size >= MAX_WORDS : now - before < REPEAT_MILLIS) return;
    this.#said.set(warning.message, now);
    this.#warn(warning);
  }

  #warn(warning: SourceWarning): void {
    this.#sink?.warned?.(warning);
  }
}
