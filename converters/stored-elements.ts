import { appendFileSync, closeSync, openSync, readSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Elements } from './frame.ts';

/** Frames of an episode, from one on and up to another. */
export interface FrameRange {
  readonly from: number;
  readonly to: number;
}

/** Elements that lie in a file, row behind row, because a whole episode of them would not fit into memory. */
export interface StoredElements {
  /** Name of the file within the folder of the episode. */
  readonly file: string;
  readonly type: keyof typeof TYPES;
  /** Elements of a row. */
  readonly width: number;
  readonly bytes: number;
}

const TYPES = { float64: Float64Array, float32: Float32Array, uint16: Uint16Array } as const;

/** Writes such a file; closed after each row, so that there is nothing to let go of after a failure. */
export class ElementFile {
  readonly #path: string;
  #stored: StoredElements | undefined;

  /** @param path of a file that does not exist. */
  constructor(path: string) {
    this.#path = path;
  }

  add(row: Elements): void {
    const { buffer, byteOffset, byteLength } = row;
    appendFileSync(this.#path, new Uint8Array(buffer, byteOffset, byteLength));
    const { bytes = 0 } = this.#stored ?? {};
    this.#stored = {
      file: basename(this.#path),
      type: typeOf(row),
      width: row.length,
      bytes: bytes + byteLength,
    };
  }

  /** @returns undefined where there is no row. */
  all(): StoredElements | undefined {
    return this.#stored;
  }
}

/** Reads rows, anew at every call: they come from the page cache as a rule. */
export function readElements(
  directory: string,
  { file, type, width }: StoredElements,
  { from, to }: FrameRange,
): Elements {
  const Type: new (length: number) => Elements = TYPES[type];
  const elements = new Type((to - from) * width);
  const bytes = new Uint8Array(elements.buffer);
  const handle = openSync(join(directory, file), 'r');
  try {
    const at = from * width * elements.BYTES_PER_ELEMENT;
    const read = readSync(handle, bytes, 0, bytes.length, at);
    if (read < bytes.length) throw new RangeError(`"${file}" ends before byte ${at + bytes.length}`);
  } finally {
    closeSync(handle);
  }
  return elements;
}

function typeOf(row: Elements): StoredElements['type'] {
  if (row instanceof Float64Array) return 'float64';
  return row instanceof Float32Array ? 'float32' : 'uint16';
}
