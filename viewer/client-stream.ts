import type { Clock } from '../schemas/time.ts';
import { type ServerText, STATUS_LEVELS } from './protocol.ts';
import { encodeMessageData, encodeServerText, encodeTime } from './protocol-server.ts';
import type { Connection } from './websocket.ts';

export interface ClientStreamOptions {
  readonly clock: Clock;
  /** Bytes queued for this client above which pictures are left out. */
  readonly highWaterBytes: number;
}

/** Time between two words on the same trouble. */
const STATUS_PERIOD_NANOS = 2_500_000_000n;
/** Clients know this text and explain it. */
const SLOW_CLIENT = 'Send buffer limit reached';

/**
 * Everything one client gets, in one order and bounded: a Time always comes before the messages that belong to
 * it. What is left out for a slow client is counted by topic.
 */
export class ClientStream {
  readonly #connection: Connection;
  readonly #options: ClientStreamOptions;
  readonly #leftOut = new Map<string, number>();
  #time: bigint | undefined;
  #slowStatusTime: bigint | undefined;

  constructor(connection: Connection, options: ClientStreamOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** Messages that this client did not get because it reads too slowly, by topic. */
  get leftOut(): ReadonlyMap<string, number> {
    return this.#leftOut;
  }

  /** How full its queue is: 1 is the limit above which pictures are left out. */
  get fill(): number {
    return this.#connection.bufferedBytes / this.#options.highWaterBytes;
  }

  text(message: ServerText): void {
    this.#connection.send(encodeServerText(message));
  }

  binary(frame: Uint8Array): void {
    this.#connection.send(frame);
  }

  status(level: keyof typeof STATUS_LEVELS, message: string): void {
    this.text({ op: 'status', level: STATUS_LEVELS[level], message });
  }

  /** Says what time it is, once. */
  announce(time: bigint): void {
    if (time === this.#time) return;
    this.#time = time;
    this.#connection.send(encodeTime(time));
  }

  /** The time jumps. A client without playback control takes time going backwards for that, and nothing else. */
  jump(time: bigint): void {
    if (time > (this.#time ?? 0n)) this.#connection.send(encodeTime((this.#time ?? 1n) - 1n));
    this.announce(time);
  }

  message(subscriptionId: number, logTime: bigint, data: Uint8Array): void {
    this.#connection.send(encodeMessageData(subscriptionId, logTime, data));
  }

  /** Counts a message that this client does not get, and tells it. */
  leaveOut(topic: string): void {
    this.#leftOut.set(topic, (this.#leftOut.get(topic) ?? 0) + 1);
    const now = this.#options.clock.now();
    if (this.#slowStatusTime !== undefined && now - this.#slowStatusTime < STATUS_PERIOD_NANOS) return;
    this.#slowStatusTime = now;
    this.status('warning', SLOW_CLIENT);
  }

  /** Resolves when its queue is no fuller than this, or the connection has closed. */
  drained(fill: number): Promise<void> {
    return this.#connection.drained(fill * this.#options.highWaterBytes);
  }

  /** Says goodbye; code and reason as RFC 6455 section 7.4 has them. */
  close(code: number, reason: string): void {
    this.#connection.close(code, reason);
  }
}
