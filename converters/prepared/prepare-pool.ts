import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ConvertError, type KinescribeError, StorageError } from '../../schemas/errors.ts';
import { workerFile } from '../../schemas/worker-file.ts';
import { isEpisodeFault } from './episode-fault.ts';
import { type PrepareRequest, prepareEpisode } from './prepare-episode.ts';

export type { PrepareRequest };

/** What a preparing process says. */
export type PrepareReply =
  | { readonly kind: 'frame' }
  | { readonly kind: 'prepared'; readonly name: string }
  | { readonly kind: 'faulty'; readonly message: string; readonly contractPath?: readonly string[] }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'broken'; readonly message: string; readonly stack: string };

/** What became of one recording: its prepared episode, or what keeps it from becoming one. */
export type Outcome = { readonly name: string } | { readonly fault: KinescribeError };

export interface PoolOptions {
  /** Processes; with 1 this one does it all. */
  readonly workers: number;
  /** Told after every frame, with the place of its request. */
  readonly onFrame?: (request: number) => void;
  /** Told when a recording is done. */
  readonly onDone?: (request: number, outcome: Outcome) => void;
  readonly signal?: AbortSignal;
}

/**
 * Prepares recordings, several at the same time. A recording is one process's work from its first byte to its
 * last picture, so that what comes of it depends on nothing else. Processes, not threads: each has libuv's
 * threads, which compress pictures, for itself.
 *
 * @returns the outcomes in the order of the requests.
 * @throws what is no fault of a recording: a full disk, a missing encoder, the signal.
 */
export async function prepareAll(
  requests: readonly PrepareRequest[],
  { workers, ...options }: PoolOptions,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const ending = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, ending.signal]) : ending.signal;
  const processes = Math.min(workers, requests.length);
  // Encoders that share a core with others take an eighth less time when each keeps to itself.
  const cores = Math.max(1, Math.floor(availableParallelism() / processes));
  let next = 0;
  const work = async () => {
    await using preparer = workers > 1 ? new ForeignPreparer(signal) : new OwnPreparer(signal);
    while (next < requests.length) {
      signal.throwIfAborted();
      const place = next++;
      const request = { ...requests[place]!, cores };
      const outcome = await preparer.prepare(request, () => options.onFrame?.(place));
      outcomes[place] = outcome;
      options.onDone?.(place, outcome);
    }
  };
  const working = Array.from({ length: processes }, async () => {
    try {
      await work();
    } catch (error) {
      ending.abort(error);
      throw error;
    }
  });
  await Promise.allSettled(working);
  options.signal?.throwIfAborted();
  await Promise.all(working);
  return outcomes;
}

interface Preparer extends AsyncDisposable {
  prepare(request: PrepareRequest, onFrame: () => void): Promise<Outcome>;
}

class OwnPreparer implements Preparer {
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  async prepare(request: PrepareRequest, onFrame: () => void): Promise<Outcome> {
    try {
      return { name: await prepareEpisode(request, { onFrame, signal: this.#signal }) };
    } catch (fault) {
      if (isEpisodeFault(fault)) return { fault };
      throw fault;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** A process that prepares one recording at a time. */
class ForeignPreparer implements Preparer {
  readonly #signal: AbortSignal;
  readonly #child: ChildProcess;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    const program = fileURLToPath(workerFile(import.meta.url, 'prepare-process'));
    this.#child = fork(program, { serialization: 'advanced', execArgv: [] });
    signal.addEventListener('abort', this.#end, { once: true });
  }

  async prepare(request: PrepareRequest, onFrame: () => void): Promise<Outcome> {
    const reply = await new Promise<Exclude<PrepareReply, { kind: 'frame' }>>((resolve, reject) => {
      const listen = (said: PrepareReply) => {
        if (said.kind === 'frame') return onFrame();
        this.#child.off('message', listen).off('exit', exited);
        resolve(said);
      };
      const exited = (code: number | null, signal: string | null) => {
        this.#child.off('message', listen);
        const ended = signal ? `it was ended by ${signal}` : `it ended with code ${code}`;
        const fault = new ConvertError(
          `Cannot convert "${request.file}": ${ended} while it was prepared, by a process of its own. If memory was ` +
            'short, use fewer --workers; then go on with --resume.',
        );
        reject(this.#signal.reason ?? fault);
      };
      this.#child.on('message', listen).once('exit', exited);
      this.#child.send(request);
    });
    switch (reply.kind) {
      case 'prepared':
        return { name: reply.name };
      case 'faulty': {
        const { message, contractPath } = reply;
        return { fault: new ConvertError(message, contractPath && { contractPath }) };
      }
      case 'refused':
        throw new StorageError(reply.message);
      case 'broken': {
        const error = new Error(reply.message);
        error.stack = reply.stack;
        throw error;
      }
      default:
        throw reply satisfies never;
    }
  }

  /** The child lets go of its files and encoders, then it ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal.removeEventListener('abort', this.#end);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#end();
    await ended;
  }

  readonly #end = (): void => {
    if (this.#child.connected) this.#child.disconnect();
  };
}
