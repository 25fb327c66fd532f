import { join } from 'node:path';
import type { Contract, Feature } from '../schemas/contract.ts';
import { type Elements, type Frame, type FrameValue, isNumeric, numberForm } from './frame.ts';
import { ElementFile, type FrameRange, readElements, type StoredElements } from './stored-elements.ts';

/**
 * Features with more elements, such as depth maps, clouds and tactile images, stay on disk: of these alone an hour of
 * an episode is more than a few hundred megabytes.
 */
export const LARGE_ROW = 2048;
/** Elements of such features that are in memory at once; 4 MiB at most. */
export const RANGE_ELEMENTS = 1 << 19;

/** All frames of an episode but their pixels, column by column. What would be too large to keep whole is in files. */
export interface EpisodeNumbers {
  /** Frames: rows of every column. */
  readonly frames: number;
  /** [frames] nanoseconds on the contract's clock. */
  readonly tickTimes: BigInt64Array;
  /** In the order of the contract's features. */
  readonly features: ReadonlyMap<string, FeatureNumbers>;
  /** Where the files of large features lie. */
  readonly directory?: string;
}

export interface FeatureNumbers {
  /** [frames] 1 where the value lies within its tolerance of the tick. */
  readonly valid: Uint8Array;
  /** [frames] tick minus the value's own time, seconds, of a window that of the newest; NaN without a value. */
  readonly ageSecs: Float64Array;
  /** [frames, ...shape] row-major; of features that are numbers. See {@link elementRows}. */
  readonly elements?: Elements | StoredElements;
  /** [frames, slots] of a window; NaN where a slot is empty. */
  readonly slotAgeSecs?: Float64Array;
  /** [frames] of a feature that is text; empty where there is none. */
  readonly texts?: readonly string[];
}

/** Elements of a numeric feature, [to - from, ...shape] row-major: a view where they are in memory. */
export function elementRows(
  { frames, features, directory = '' }: EpisodeNumbers,
  key: string,
  { from, to }: FrameRange = { from: 0, to: frames },
): Elements {
  const elements = features.get(key)?.elements;
  if (!elements) throw new RangeError(`there are no numbers of feature "${key}"`);
  if (!ArrayBuffer.isView(elements)) return readElements(directory, elements, { from, to });
  return cutRows(elements, { from, to, frames });
}

/** The rows of some frames; all are given as they are, since views are sent to threads with all that they show of. */
export function cutRows<T extends CuttableRows>(
  rows: T,
  { from, to, frames }: FrameRange & { readonly frames: number },
): T {
  if (from === 0 && to === frames) return rows;
  const width = rows.length / frames;
  return rows.subarray(from * width, to * width) as T; // subarray keeps the type
}

type CuttableRows = Elements | BigInt64Array | Int16Array | Uint8Array;

/** The files of large features. */
export function storedElements({ features }: EpisodeNumbers): readonly StoredElements[] {
  return [...features.values()].flatMap(({ elements }) =>
    elements && !ArrayBuffer.isView(elements) ? [elements] : [],
  );
}

/** Cuts an episode so that a range of all its features fits into memory: into one where none is large. */
export function frameRanges(numbers: EpisodeNumbers): readonly FrameRange[] {
  const { frames } = numbers;
  const width = storedElements(numbers).reduce((sum, stored) => sum + stored.width, 0);
  const step = width > 0 ? Math.max(1, Math.floor(RANGE_ELEMENTS / width)) : frames;
  return Array.from({ length: Math.ceil(frames / step) }, (_, i) => ({
    from: i * step,
    to: Math.min(frames, (i + 1) * step),
  }));
}

/** Whether rows of a shape are too large for an episode of them to be in memory. */
export function isLarge({ shape }: { readonly shape: readonly number[] }): boolean {
  return shape.reduce((product, n) => product * n, 1) > LARGE_ROW;
}

/** Whether the values of a feature stay on disk. */
export function isStored(feature: Feature): boolean {
  return isNumeric(feature) && isLarge(numberForm(feature));
}

/** Collects the numbers of passing frames. */
export class NumbersBuilder {
  readonly #tickTimes: bigint[] = [];
  readonly #features: ReadonlyMap<string, FeatureBuilder>;

  readonly #directory: string | undefined;

  /** @param directory for the values of large features, which are left out without it. */
  constructor({ features }: Contract, directory?: string) {
    this.#directory = directory;
    this.#features = new Map(
      Object.entries(features).map(([key, feature], i) => [key, new FeatureBuilder(rowsOf(feature, i))]),
    );
    function rowsOf(feature: Feature, place: number): Rows | ElementFile | undefined {
      if (!isStored(feature)) return new Rows<Elements>();
      return directory === undefined ? undefined : new ElementFile(join(directory, `${place}-elements.bin`));
    }
  }

  add({ tickTime, values }: Frame): void {
    this.#tickTimes.push(tickTime);
    for (const [key, builder] of this.#features) builder.add(values.get(key)!);
  }

  build(): EpisodeNumbers {
    return {
      frames: this.#tickTimes.length,
      tickTimes: BigInt64Array.from(this.#tickTimes),
      features: new Map(this.#features.entries().map(([key, builder]) => [key, builder.build()])),
      ...(this.#directory !== undefined && { directory: this.#directory }),
    };
  }
}

class FeatureBuilder {
  readonly #valid: number[] = [];
  readonly #ageSecs: number[] = [];
  readonly #texts: string[] = [];
  readonly #elements: Rows | ElementFile | undefined;
  readonly #slotAges = new Rows<Float64Array>();

  constructor(elements: Rows | ElementFile | undefined) {
    this.#elements = elements;
  }

  add(value: FrameValue): void {
    const { valid, ageNanos } = value;
    this.#valid.push(Number(valid));
    this.#ageSecs.push(ageNanos === undefined ? Number.NaN : Number(ageNanos) / 1e9);
    if (value.kind === 'text') this.#texts.push(value.text);
    if (value.kind !== 'vector') return;
    this.#elements?.add(value.elements);
    if (value.window) this.#slotAges.add(value.window.ageSecs);
  }

  build(): FeatureNumbers {
    const [elements, slotAgeSecs] = [this.#elements?.all(), this.#slotAges.all()];
    return {
      valid: Uint8Array.from(this.#valid),
      ageSecs: Float64Array.from(this.#ageSecs),
      ...(elements && { elements }),
      ...(slotAgeSecs && { slotAgeSecs }),
      ...(this.#texts.length > 0 && { texts: this.#texts }),
    };
  }
}

const FIRST_ROWS = 64;

/** Rows of one width and type that grow in number. */
class Rows<T extends Elements = Elements> {
  #rows: T | undefined;
  #length = 0;

  add(row: T): void {
    if (!this.#rows || this.#length + row.length > this.#rows.length) this.#grow(row);
    this.#rows!.set(row, this.#length);
    this.#length += row.length;
  }

  all(): T | undefined {
    return this.#rows?.slice(0, this.#length) as T | undefined; // slice keeps the type
  }

  #grow(row: T): void {
    const larger = new (row.constructor as new (length: number) => T)(
      Math.max(FIRST_ROWS * row.length, 2 * this.#length),
    );
    if (this.#rows) larger.set(this.#rows);
    this.#rows = larger;
  }
}
