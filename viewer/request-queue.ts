/** The SDK's own number for what one client may have under way. */
const MAX_WAITING = 32;

/** What one client asks for that needs the disk, one after another and no more than a few at once. */
export class RequestQueue {
  #waiting = 0;
  #tail: Promise<void> = Promise.resolve();

  /**
   * Runs a request after those before it.
   *
   * @returns false where too many wait already: it is not run.
   */
  add(request: () => Promise<void>): boolean {
    if (this.#waiting >= MAX_WAITING) return false;
    this.#waiting++;
    this.#tail = this.#tail.then(request).finally(() => this.#waiting--);
    return true;
  }
}
