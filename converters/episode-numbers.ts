import type { Contract } from '../schemas/contract.ts';
import type { Elements, Frame, FrameValue } from './frame.ts';

/** All frames of an episode but their pixels, column by column: small enough to keep whole. */
export interface EpisodeNumbers {
  /** Frames: rows of every column. */
  readonly frames: number;
  /** [frames] nanoseconds on the contract's clock. */
  readonly tickTimes: BigInt64Array;
  /** In the order of the contract's features. */
  readonly features: ReadonlyMap<string, FeatureNumbers>;
}

export interface FeatureNumbers {
  /** [frames] 1 where the value lies within its tolerance of the tick. */
  readonly valid: Uint8Array;
  /** [frames] tick minus the value's own time, seconds, of a window that of the newest; NaN without a value. */
  readonly ageSecs: Float64Array;
  /** [frames, ...shape] row-major; of features that are numbers. */
  readonly elements?: Elements;
  /** [frames, slots] of a window; NaN where a slot is empty. */
  readonly slotAgeSecs?: Float64Array;
  /** [frames] of a feature that is text; empty where there is none. */
  readonly texts?: readonly string[];
}

/** Collects the numbers of passing frames. */
export class NumbersBuilder {
  readonly #tickTimes: bigint[] = [];
  readonly #features: ReadonlyMap<string, FeatureBuilder>;

  constructor({ features }: Contract) {
    this.#features = new Map(Object.keys(features).map((key) => [key, new FeatureBuilder()]));
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
    };
  }
}

class FeatureBuilder {
  readonly #valid: number[] = [];
  readonly #ageSecs: number[] = [];
  readonly #texts: string[] = [];
  readonly #elements = new Rows<Elements>();
  readonly #slotAges = new Rows<Float64Array>();

  add(value: FrameValue): void {
    const { valid, ageNanos } = value;
    this.#valid.push(Number(valid));
    this.#ageSecs.push(ageNanos === undefined ? Number.NaN : Number(ageNanos) / 1e9);
    if (value.kind === 'text') this.#texts.push(value.text);
    if (value.kind !== 'vector') return;
    this.#elements.add(value.elements);
    if (value.window) this.#slotAges.add(value.window.ageSecs);
  }

  build(): FeatureNumbers {
    const [elements, slotAgeSecs] = [this.#elements.all(), this.#slotAges.all()];
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
class Rows<T extends Elements> {
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
