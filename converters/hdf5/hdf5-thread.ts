import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { ConvertError, DatasetError } from '../../schemas/errors.ts';
import { workerFile } from '../../schemas/worker-file.ts';
import type { ColumnNumbers } from '../frame-columns.ts';
import type { AttributeValue, Hdf5Array, Hdf5Entry, Hdf5Reply, Hdf5Request } from './hdf5-worker.ts';

const ACTIONS = {
  open: 'open',
  write: 'write to',
  append: 'write to',
  extend: 'write to',
  texts: 'write to',
  attribute: 'write to',
  close: 'write to',
  list: 'read',
  read: 'read',
} as const satisfies Record<Hdf5Request['kind'], string>;

/**
 * The thread that works on HDF5 files, one open at a time. It starts with the first, and starts anew after a
 * failure, which leaves the library in no state to go on.
 */
export class Hdf5Thread {
  #worker: Worker | undefined;
  #file = '';

  /** @throws {ConvertError} when it cannot be made. */
  create(file: string): Promise<Hdf5File> {
    return this.#open(file, 'create');
  }

  /** Opens a file to write more. */
  change(file: string): Promise<Hdf5File> {
    return this.#open(file, 'change');
  }

  /** @throws {DatasetError} when it is no HDF5 file. */
  async read(file: string): Promise<Hdf5File> {
    try {
      return await this.#open(file, 'read');
    } catch (cause) {
      throw new DatasetError(`Cannot read "${file}": it is no whole HDF5 file.`, { cause });
    }
  }

  /** Ends the thread; a file that is still open stays incomplete. */
  async end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  async #open(file: string, mode: 'create' | 'change' | 'read'): Promise<Hdf5File> {
    this.#file = file;
    await this.#ask({ kind: 'open', file, mode });
    return new Hdf5File((request) => this.#ask(request));
  }

  async #ask(request: Hdf5Request): Promise<unknown> {
    this.#worker ??= new Worker(workerFile(import.meta.url, 'hdf5-worker'));
    this.#worker.postMessage(request);
    const [{ error, result }] = (await once(this.#worker, 'message')) as [Hdf5Reply];
    if (error === undefined) return result;
    await this.end();
    throw new ConvertError(`Cannot ${ACTIONS[request.kind]} "${this.#file}": ${error}.`);
  }
}

/** The open file of a thread. Each call is to be awaited before the next; any may throw a ConvertError. */
export class Hdf5File {
  readonly #ask: (request: Hdf5Request) => Promise<unknown>;

  constructor(ask: (request: Hdf5Request) => Promise<unknown>) {
    this.#ask = ask;
  }

  /** Writes a dataset that can be extended, and the groups above it. */
  async write(path: string, array: Hdf5Array): Promise<void> {
    await this.#ask({ kind: 'write', path, array });
  }

  /** Adds a row to a dataset, making it with the first; each row is a chunk. */
  async append(path: string, row: Hdf5Array): Promise<void> {
    await this.#ask({ kind: 'append', path, row });
  }

  /** Adds rows until there are as many: the last one again, or all of one number. */
  async extend(path: string, rows: number, fill?: number): Promise<void> {
    await this.#ask({ kind: 'extend', path, rows, fill });
  }

  /** Writes a list of texts of one length in bytes, the shorter ones filled up with zeros. */
  async writeTexts(path: string, texts: readonly string[]): Promise<void> {
    await this.#ask({ kind: 'texts', path, texts });
  }

  /** @param path of a group or dataset that is there; empty for the root. */
  async setAttribute(path: string, name: string, value: AttributeValue): Promise<void> {
    await this.#ask({ kind: 'attribute', path, name, value });
  }

  /** Everything in the file, groups before what they hold. */
  async list(): Promise<readonly Hdf5Entry[]> {
    return (await this.#ask({ kind: 'list' })) as readonly Hdf5Entry[];
  }

  /** The numbers of a dataset, of some rows or of all. */
  async values(path: string, rows?: readonly [from: number, to: number]): Promise<ColumnNumbers> {
    return (await this.#ask({ kind: 'read', path, ...(rows && { rows }) })) as ColumnNumbers;
  }

  async close(): Promise<void> {
    await this.#ask({ kind: 'close' });
  }
}
