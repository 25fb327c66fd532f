/** Decides when a writer's caller has to wait: for too many bytes on their way to the file, or for too long. */
export class WriteBudget {
  readonly #maxBytes: number;
  readonly #maxMillis: number;
  /** When the chunks that are on their way were opened; they arrive in this order. */
  readonly #openedMillis: number[] = [];
  #bytes = 0;
  #isLate = false;
  #room: PromiseWithResolvers<void> | undefined;

  /** @param maxMillis from the opening of a chunk to its arrival in the file. */
  constructor(maxBytes: number, maxMillis: number) {
    this.#maxBytes = maxBytes;
    this.#maxMillis = maxMillis;
  }

  get isExceeded(): boolean {
    return this.#bytes > this.#maxBytes || this.#isLate;
  }

  /** Whether only closing a chunk can make room, as none is on its way. */
  get isStuck(): boolean {
    return this.isExceeded && this.#openedMillis.length === 0;
  }

  /** Bytes went into an open chunk. */
  add(bytes: number): void {
    this.#bytes += bytes;
  }

  /** A chunk was closed and is on its way. */
  send(openedMillis: number): void {
    this.#openedMillis.push(openedMillis);
    this.refresh();
  }

  /** The first chunk that was on its way is in the file. */
  arrive(bytes: number): void {
    this.#openedMillis.shift();
    this.#bytes -= bytes;
    this.refresh();
    if (this.isExceeded) return;
    this.#room?.resolve();
    this.#room = undefined;
  }

  /** Looks at the clock; a look for every message would cost as much as writing it. */
  refresh(): void {
    const oldestMillis = this.#openedMillis[0] ?? Number.POSITIVE_INFINITY;
    this.#isLate = performance.now() - oldestMillis > this.#maxMillis;
  }

  /** Resolves when there is room again. */
  room(): Promise<void> {
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** Rejects who is waiting. @returns whether somebody was. */
  fail(error: Error): boolean {
    const isWaiting = this.#room !== undefined;
    this.#room?.reject(error);
    this.#room = undefined;
    return isWaiting;
  }
}
