import { type MessagePort, parentPort } from 'node:worker_threads';
import { Dataset, File, Group, ready } from 'h5wasm/node';
import type { ColumnNumbers, ElementType } from '../frame-columns.ts';

/** What is asked of the thread that owns the open file; carried out in order, each answered by one reply. */
export type Hdf5Request =
  | { readonly kind: 'open'; readonly file: string; readonly mode: 'create' | 'change' | 'read' }
  | { readonly kind: 'write'; readonly path: string; readonly array: Hdf5Array }
  | { readonly kind: 'append'; readonly path: string; readonly row: Hdf5Array }
  | {
      readonly kind: 'extend';
      readonly path: string;
      readonly rows: number;
      readonly fill: number | undefined;
    }
  | {
      readonly kind: 'attribute';
      readonly path: string;
      readonly name: string;
      readonly value: AttributeValue;
    }
  | { readonly kind: 'texts'; readonly path: string; readonly texts: readonly string[] }
  | { readonly kind: 'list' }
  | { readonly kind: 'read'; readonly path: string; readonly rows?: readonly [from: number, to: number] }
  | { readonly kind: 'close' };

export interface Hdf5Array {
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  /** Booleans as 0 and 1. */
  readonly values: ColumnNumbers;
}

/** Numbers are stored as 64-bit integers. */
export type AttributeValue = string | number;

/** An object of a file that was read back. */
export interface Hdf5Entry {
  /** From the root, without a slash at its beginning; empty for the root. */
  readonly path: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Absent for groups. */
  readonly dataset?: { readonly dtype: string; readonly shape: readonly number[] };
}

export interface Hdf5Reply {
  readonly error?: string;
  readonly result?: unknown;
}

/** Types as the library spells them. */
const DTYPES = {
  ...{ float32: '<f', float64: '<d', int64: '<q' },
  ...{ int16: '<h', uint16: '<H', uint8: '<B', bool: '<B' },
} as const;

const MODES = { create: 'w', change: 'a', read: 'r' } as const;

/** Rows of a chunk of numbers; a picture is a chunk of its own, so that single frames load quickly. */
const CHUNK_ROWS = 1024;

/** HDF5 is WebAssembly that blocks while it reads and writes: it has a thread to itself. */
class Hdf5Worker {
  #file: File | undefined;
  /** Made so far in this file: the library takes the question for what is not there for a failure. */
  readonly #groups = new Map<string, Group>();
  /** Rows of the datasets that grow. */
  readonly #appended = new Map<string, number>();

  constructor(port: MessagePort) {
    // HDF5 stores the instant at which each object was made. Here time stands still: the same input gives the
    // same bytes. Nothing else runs in this thread.
    Date.now = () => 0;
    const loaded = ready.then((module) => module.activate_throwing_error_handler());
    port.on('message', (request: Hdf5Request) => {
      // In order without a queue: each is answered before the next is asked.
      loaded
        .then(() => this.#handle(request))
        .then(
          (result) => port.postMessage({ result } satisfies Hdf5Reply),
          (error) => port.postMessage({ error: reasonOf(error) } satisfies Hdf5Reply),
        );
    });
  }

  #handle(request: Hdf5Request): unknown {
    switch (request.kind) {
      case 'open':
        this.#groups.clear();
        this.#appended.clear();
        this.#file = new File(request.file, MODES[request.mode]);
        return undefined;
      case 'write':
        return this.#create(request.path, request.array, CHUNK_ROWS);
      case 'append':
        return this.#append(request.path, request.row);
      case 'extend':
        return this.#extend(request);
      case 'texts':
        return this.#writeTexts(request);
      case 'attribute': {
        const { name, value } = request;
        const entity = this.#entity(request.path);
        if (name in entity.attrs) entity.delete_attribute(name);
        if (typeof value === 'string') entity.create_attribute(name, value);
        else entity.create_attribute(name, value, [], DTYPES.int64);
        return undefined;
      }
      case 'list':
        return [...this.#list('')];
      case 'read':
        return request.rows
          ? this.#dataset(request.path).slice([[...request.rows]])
          : this.#dataset(request.path).value;
      case 'close':
        this.#file?.close();
        return undefined;
      default:
        throw request satisfies never;
    }
  }

  #create(path: string, { dtype, shape, values }: Hdf5Array, chunkRows: number): void {
    const [rows = 0, ...inner] = shape;
    const name = path.slice(path.lastIndexOf('/') + 1);
    this.#group(path.slice(0, -name.length - 1)).create_dataset({
      name,
      data: values,
      shape: [...shape],
      maxshape: [null, ...inner],
      chunks: [Math.min(rows, chunkRows), ...inner],
      dtype: DTYPES[dtype],
    });
  }

  #append(path: string, row: Hdf5Array): void {
    const rows = this.#appended.get(path) ?? 0;
    this.#appended.set(path, rows + 1);
    if (rows === 0) {
      this.#create(path, { ...row, shape: [1, ...row.shape] }, 1);
      return;
    }
    const dataset = this.#dataset(path);
    dataset.resize([rows + 1, ...row.shape]);
    dataset.write_slice([[rows, rows + 1]], row.values);
  }

  #writeTexts({ path, texts }: { path: string; texts: readonly string[] }): void {
    const bytes = Math.max(...texts.map((text) => Buffer.byteLength(text)));
    const name = path.slice(path.lastIndexOf('/') + 1);
    const group = this.#group(path.slice(0, -name.length - 1));
    group.create_dataset({ name, data: [...texts], shape: [texts.length], dtype: `S${bytes}` });
  }

  /** Repeats the last row until there are as many, or fills with a number. */
  #extend({ path, rows, fill }: { path: string; rows: number; fill: number | undefined }): void {
    const dataset = this.#dataset(path);
    const [have = 0, ...inner] = dataset.shape ?? [];
    const last = dataset.slice([[have - 1, have]]);
    if (!isNumbers(last)) throw new TypeError(`"${path}" does not hold numbers`);
    if (fill !== undefined && !(last instanceof BigInt64Array)) last.fill(fill);
    dataset.resize([rows, ...inner]);
    for (let row = have; row < rows; row++) dataset.write_slice([[row, row + 1]], last);
  }

  *#list(path: string): Generator<Hdf5Entry> {
    const entity = this.#entity(path);
    const attributes = Object.fromEntries(
      Object.entries(entity.attrs).map(([name, { value }]) => [name, value]),
    );
    if (entity instanceof Dataset) {
      yield { path, attributes, dataset: { dtype: String(entity.dtype), shape: entity.shape ?? [] } };
      return;
    }
    yield { path, attributes };
    for (const name of entity.keys()) yield* this.#list(path === '' ? name : `${path}/${name}`);
  }

  get #open(): File {
    if (!this.#file) throw new TypeError('no file is open');
    return this.#file;
  }

  #entity(path: string): Group | Dataset {
    const entity = path === '' ? this.#open : this.#open.get(path);
    if (entity instanceof Group || entity instanceof Dataset) return entity;
    throw new RangeError(`there is no "${path}"`);
  }

  #dataset(path: string): Dataset {
    const entity = this.#entity(path);
    if (entity instanceof Dataset) return entity;
    throw new RangeError(`"${path}" is a group`);
  }

  /** The group, made with those above it where it is not there. */
  #group(path: string): Group {
    if (path === '') return this.#open;
    const known = this.#groups.get(path);
    if (known) return known;
    const slash = path.lastIndexOf('/');
    const group = this.#group(path.slice(0, Math.max(0, slash))).create_group(path.slice(slash + 1));
    this.#groups.set(path, group);
    return group;
  }
}

/** The library throws plain text: the stack of the failure, its cause last. */
function reasonOf(error: unknown): string {
  const causes = [...String(error).matchAll(/^ *#\d+: .* in \w+\(\): (.*)$/gm)];
  return causes.at(-1)?.[1] ?? String(error).trim();
}

function isNumbers(value: unknown): value is ColumnNumbers {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

if (parentPort) new Hdf5Worker(parentPort);
