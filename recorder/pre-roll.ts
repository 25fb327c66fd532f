import { MESSAGE_OVERHEAD_BYTES } from './message-queue.ts';
import type { SourceMessage } from './source.ts';

/**
 * The last moments before a start, kept in memory: the operator presses when something has begun, and the
 * take still holds it. Bounded in time and in bytes; what does not fit goes oldest first.
 */
export class PreRoll {
  readonly #nanos: bigint;
  readonly #maxBytes: number;
  /** Those before the place `first` are gone; the array is cut when half of it is. */
  #messages: (SourceMessage | undefined)[] = [];
  #first = 0;
  #bytes = 0;

  /** @param nanos how far back it reaches; 0 keeps nothing. */
  constructor(nanos: bigint, maxBytes: number) {
    this.#nanos = nanos;
    this.#maxBytes = maxBytes;
  }

  /** What it keeps from being freed, bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes over the message's buffer. */
  push(message: SourceMessage): void {
    if (this.#nanos === 0n) return;
    this.#messages.push(message);
    this.#bytes += costOf(message);
    this.#dropBefore(message.logTime - this.#nanos);
    while (this.#bytes > this.#maxBytes) this.#dropFirst();
    if (this.#first * 2 > this.#messages.length) {
      this.#messages = this.#messages.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Hands over what lies within reach of an instant, in order of arrival, and is empty then. */
  take(now: bigint): readonly SourceMessage[] {
    this.#dropBefore(now - this.#nanos);
    const messages = this.#messages.filter((message) => message !== undefined);
    this.#messages = [];
    this.#first = 0;
    this.#bytes = 0;
    return messages;
  }

  #dropBefore(time: bigint): void {
    for (let oldest = this.#messages[this.#first]; oldest && oldest.logTime < time; ) {
      this.#dropFirst();
      oldest = this.#messages[this.#first];
    }
  }

  #dropFirst(): void {
    this.#bytes -= costOf(this.#messages[this.#first]!);
    this.#messages[this.#first] = undefined; // the array would hold on to its buffer
    this.#first++;
  }
}

function costOf({ data }: SourceMessage): number {
  return data.byteLength + MESSAGE_OVERHEAD_BYTES;
}
