import type { VectorFeature } from '../schemas/contract.ts';
import { ConvertError } from '../schemas/errors.ts';
import { type FieldPath, parseFieldPath } from '../schemas/field-path.ts';
import type { Choice } from './align.ts';
import type { Sample } from './align-streams.ts';
import { PickFault, pickNumbers } from './feature-pick.ts';
import { elementCount, type VectorValue } from './frame.ts';

/** Where a feature's values come from, for its errors. */
export interface FeatureOrigin {
  /** The dataset key. */
  readonly key: string;
  readonly topic: string;
  /** The episode. */
  readonly file: string;
}

const CAN_HOLD: Readonly<Record<VectorFeature['dtype'], (number: number) => boolean>> = {
  float32: () => true,
  float64: () => true,
  int64: Number.isInteger,
  uint8: (number) => Number.isInteger(number) && number >= 0 && number <= 255,
  bool: (number) => number === 0 || number === 1,
};

/** Makes the numbers of one feature from the messages chosen for it. */
export class VectorReader {
  readonly #feature: VectorFeature;
  readonly #origin: FeatureOrigin;
  readonly #paths: readonly FieldPath[];
  readonly #count: number;
  readonly #masked: Float64Array;
  /** The two messages read last: one serves several ticks when it comes more slowly than they do. */
  #recent: readonly { readonly sample: Sample; readonly elements: Float64Array }[] = [];

  constructor(feature: VectorFeature, origin: FeatureOrigin) {
    const isReal = feature.dtype === 'float32' || feature.dtype === 'float64';
    if (feature.align === 'linear' && !isReal) {
      throw new ConvertError(
        `Cannot make feature "${origin.key}": "align: linear" makes numbers between two values, which ` +
          `dtype "${feature.dtype}" cannot hold. Use "hold" or "nearest", or dtype "float32".`,
      );
    }
    this.#feature = feature;
    this.#origin = origin;
    this.#paths = [feature.field].flat().map(checkedPath);
    this.#count = elementCount(feature);
    this.#masked = new Float64Array(this.#count).fill(isReal ? Number.NaN : 0);
  }

  /**
   * @throws {ConvertError} when the message does not hold the field, has another number of elements, or
   * numbers that would change in the feature's dtype.
   */
  read({ valid, ageNanos, value, towards }: Choice<Sample>): VectorValue {
    const elements = !value
      ? this.#masked
      : towards
        ? between(this.#pick(value), this.#pick(towards.value), towards.weight)
        : this.#pick(value);
    return { kind: 'vector', feature: this.#feature, valid, ageNanos, elements };
  }

  #pick(sample: Sample): Float64Array {
    for (const recent of this.#recent) if (recent.sample === sample) return recent.elements;
    const elements = this.#read(sample);
    this.#recent = [{ sample, elements }, ...this.#recent.slice(0, 1)];
    return elements;
  }

  #read(sample: Sample): Float64Array {
    const { key, topic, file } = this.#origin;
    const fault = (found: string, cause?: unknown) =>
      new ConvertError(
        `Cannot make feature "${key}" of "${file}": in the "${sample.channel.type}" on "${topic}" ${found}. ` +
          "Correct the feature's field, shape or dtype in the contract.",
        { cause },
      );
    const numbers: number[] = [];
    try {
      for (const path of this.#paths) pickNumbers(sample.value, path, numbers);
    } catch (error) {
      if (error instanceof PickFault) throw fault(error.message, error);
      throw error;
    }
    if (numbers.length !== this.#count) {
      const { field, shape } = this.#feature;
      throw fault(
        `field "${[field].flat().join(', ')}" holds ${numbers.length} numbers, ` +
          `shape [${shape.join(', ')}] asks for ${this.#count}`,
      );
    }
    const misfit = numbers.find((number) => !CAN_HOLD[this.#feature.dtype](number));
    if (misfit !== undefined) {
      throw fault(`there is the number ${misfit}, which dtype "${this.#feature.dtype}" cannot hold`);
    }
    return new Float64Array(numbers);
  }
}

function checkedPath(text: string): FieldPath {
  const parsed = parseFieldPath(text);
  if ('fault' in parsed) throw new RangeError(parsed.fault); // the contract was checked where it was read
  return parsed.path;
}

function between(from: Float64Array, to: Float64Array, weight: number): Float64Array {
  return from.map((value, i) => value + weight * (to[i]! - value));
}
