import { type CdrLayout, readLeaf } from '../schemas/cdr-layout.ts';
import type { FieldPath } from '../schemas/field-path.ts';
import { PickFault, pickNumbers } from './feature-pick.ts';

/** Where in a message the numbers of some fields lie, until a message is built differently. */
interface Places {
  /** A message that is built like this. */
  readonly data: Uint8Array;
  readonly structure: CdrLayout['structure'];
  readonly reads: readonly ((view: DataView, isLittleEndian: boolean) => number)[];
  readonly quaternions: readonly number[];
}

/** Larger messages hold pictures or clouds, of which a feature takes one part in a thousand. */
const MAX_BYTES = 1 << 16;
/** Messages in a row that were built differently, after which they are decoded as they come. */
const MAX_CHANGES = 8;

/**
 * Picks numbers of one channel straight from the bytes. Most messages of a topic are built alike: the same names, as
 * many joints, so that every number lies where it lay before. Where that does not hold it finds the places
 * anew, and gives up when they change all the time.
 */
export class LayoutPicker {
  readonly #layoutOf: (data: Uint8Array) => CdrLayout | undefined;
  readonly #paths: readonly FieldPath[];
  #places: Places | undefined;
  #changes = 0;

  constructor(layoutOf: (data: Uint8Array) => CdrLayout | undefined, paths: readonly FieldPath[]) {
    this.#layoutOf = layoutOf;
    this.#paths = paths;
  }

  /** @returns undefined when the message has to be decoded. */
  pick(
    data: Uint8Array,
  ): { readonly numbers: Float64Array; readonly quaternions: readonly number[] } | undefined {
    if (this.#changes > MAX_CHANGES) return undefined;
    if (this.#places && isBuiltLike(data, this.#places)) this.#changes = 0;
    else {
      this.#changes++;
      this.#places = data.byteLength <= MAX_BYTES ? this.#find(data) : undefined;
    }
    if (!this.#places) return undefined;
    const { reads, quaternions } = this.#places;
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const isLittleEndian = data[1] === 1;
    const numbers = new Float64Array(reads.length);
    for (let i = 0; i < reads.length; i++) numbers[i] = reads[i]!(view, isLittleEndian);
    return { numbers, quaternions };
  }

  #find(data: Uint8Array): Places | undefined {
    const layout = this.#layoutOf(data);
    if (!layout) return undefined;
    const [leaves, quaternions]: [number[], number[]] = [[], []];
    try {
      for (const path of this.#paths) pickNumbers(layout.value, path, leaves, quaternions);
    } catch (error) {
      if (error instanceof PickFault) return undefined; // decoding it will say so with its values
      throw error;
    }
    const reads = leaves.map((place): Places['reads'][number] => {
      const leaf = layout.leaves[place]!;
      const read = readLeaf(leaf);
      return (view, isLittleEndian) => read(view, leaf.offset, isLittleEndian);
    });
    return { data, structure: layout.structure, reads, quaternions };
  }
}

function isBuiltLike(data: Uint8Array, { data: known, structure }: Places): boolean {
  if (data.byteLength !== known.byteLength || data[1] !== known[1]) return false;
  for (const [start, end] of structure) {
    for (let i = start; i < end; i++) if (data[i] !== known[i]) return false;
  }
  return true;
}
