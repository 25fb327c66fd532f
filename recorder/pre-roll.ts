import type { SourceMessage } from './source.ts';

/**
 * The last moments before a start, kept in memory: the operator presses when something has begun, and the
 * take still holds it. Bounded in time and in bytes; what does not fit goes oldest first.
 */
export class PreRoll {
  readonly #nanos: bigint;
  readonly #maxBytes: number;
  #messages: SourceMessage[] = [];
  /** Messages before this place are gone; the array is cut when half of it is. */
  #first = 0;
  #bytes = 0;

  /** @param nanos how far back it reaches; 0 keeps nothing. */
  constructor(nanos: bigint, maxBytes: number) {
    this.#nanos = nanos;
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes over the message's buffer. */
  push(message: SourceMessage): void {
    if (this.#nanos === 0n) return;
    this.#messages.push(message);
    this.#bytes += message.data.byteLength;
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
    const messages = this.#messages.slice(this.#first);
    this.#messages = [];
    this.#first = 0;
    this.#bytes = 0;
    return messages;
  }

  #dropBefore(time: bigint): void {
    while (this.#first < this.#messages.length && this.#messages[this.#first]!.logTime < time)
      this.#dropFirst();
  }

  #dropFirst(): void {
    this.#bytes -= this.#messages[this.#first]!.data.byteLength;
    this.#first++;
  }
}
