/** Values that are there at once. */
export interface Run<T> {
  readonly length: number;
  at(index: number): T;
}

/**
 * The values of asynchronously coming runs, one after the other. An async generator takes three turns of the
 * microtask queue for each value, this takes one: reading small messages costs half as much.
 */
export class Flattened<T> implements AsyncGenerator<T, undefined> {
  readonly #runs: AsyncIterator<Run<T>, undefined>;
  #run: Run<T> | undefined;
  #index = 0;
  /** The search for the next run that is not empty; tells whether there is one. */
  #search: Promise<boolean> | undefined;

  constructor(runs: AsyncIterator<Run<T>, undefined>) {
    this.#runs = runs;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#run && this.#index < this.#run.length) return this.#take(this.#run);
    this.#search ??= this.#findRun().finally(() => {
      this.#search = undefined;
    });
    return this.#search.then((isFound) => (isFound ? this.next() : { value: undefined, done: true }));
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#run = undefined;
    await this.#runs.return?.();
    return { value: undefined, done: true };
  }

  async throw(error: unknown): Promise<IteratorResult<T, undefined>> {
    await this.return();
    throw error;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take(run: Run<T>): Promise<IteratorResult<T, undefined>> {
    try {
      return Promise.resolve({ value: run.at(this.#index++), done: false });
    } catch (error) {
      return this.return().then(() => Promise.reject(error));
    }
  }

  async #findRun(): Promise<boolean> {
    for (;;) {
      const { value, done } = await this.#runs.next();
      if (done) return false;
      this.#run = value;
      this.#index = 0;
      if (value.length > 0) return true;
    }
  }
}
