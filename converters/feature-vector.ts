import type { VectorFeature } from '../schemas/contract.ts';
import { ConvertError, sentence } from '../schemas/errors.ts';
import { type FieldPath, parseFieldPath } from '../schemas/field-path.ts';
import type { Quaternion } from '../schemas/quaternion.ts';
import { nanosToSecs } from '../schemas/time.ts';
import { unitFactor } from '../schemas/units.ts';
import type { Choice } from './align.ts';
import type { Sample } from './align-streams.ts';
import { PickFault, pickNumbers } from './feature-pick.ts';
import { elementCount, slotCount, type VectorValue } from './frame.ts';
import { LayoutPicker } from './layout-picker.ts';
import { type PictureSize, scaledIntrinsics } from './picture-geometry.ts';
import { FORMS, normalized, type RotationForm, slerp } from './rotation.ts';
import type { ChannelPlan } from './stream-plan.ts';

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
  int16: (number) => Number.isInteger(number) && number >= -32_768 && number <= 32_767,
  uint16: (number) => Number.isInteger(number) && number >= 0 && number <= 65_535,
  uint8: (number) => Number.isInteger(number) && number >= 0 && number <= 255,
  bool: (number) => number === 0 || number === 1,
};

/** The numbers of one message, in the feature's unit. */
interface Numbers {
  readonly elements: Float64Array;
  /** Where in them the rotations lie, each as x, y, z, w. */
  readonly quaternions: readonly number[];
}

interface Scale {
  readonly factor: number;
  readonly offset: number;
}

/** Makes the numbers of one feature from the messages chosen for it. */
export class VectorReader {
  readonly #feature: VectorFeature;
  readonly #origin: FeatureOrigin;
  readonly #paths: readonly FieldPath[];
  readonly #picture: PictureSize | undefined;
  readonly #count: number;
  readonly #slots: number | undefined;
  /** From the messages' numbers to the feature's. */
  readonly #scale: Scale;
  readonly #masked: Float64Array;
  readonly #pickers = new Map<ChannelPlan, LayoutPicker>();
  /** The two messages read last: one serves several ticks when it comes more slowly than they do. */
  #recent: readonly { readonly sample: Sample; readonly numbers: Numbers }[] = [];

  /** @param picture whose intrinsics the feature is. */
  constructor(feature: VectorFeature, origin: FeatureOrigin, picture?: PictureSize) {
    const { dtype, field, unit, sourceUnit, normalize } = feature;
    this.#feature = feature;
    this.#origin = origin;
    this.#picture = picture;
    // Intrinsics are of a picture of some size, which the message says too.
    this.#paths = [field ?? [], picture ? ['width', 'height'] : []].flat(2).map(checkedPath);
    this.#slots = slotCount(feature);
    this.#count = elementCount(feature) / (this.#slots ?? 1);
    const factor = sourceUnit && unit ? unitFactor(sourceUnit, unit)! : 1; // the contract was checked
    const [zero, one] = normalize ?? [0, 1];
    this.#scale = { factor: factor / (one - zero), offset: -zero / (one - zero) };
    this.#masked = new Float64Array(elementCount(feature)).fill(dtype.startsWith('float') ? Number.NaN : 0);
  }

  /**
   * @throws {ConvertError} when the message does not hold the field, has another number of elements, or
   * numbers that would change in the feature's dtype.
   */
  read(choice: Choice<Sample>): VectorValue {
    const { valid, ageNanos, value, towards } = choice;
    const timing = { kind: 'vector', feature: this.#feature, valid, ageNanos } as const;
    if (this.#slots !== undefined) return { ...timing, ...this.#readWindow(choice, this.#slots) };
    if (!value) return { ...timing, elements: this.#masked };
    const numbers = towards ? this.#between(value, towards) : this.#pick(value);
    return { ...timing, elements: this.#shaped(numbers, value) };
  }

  /** The newest value goes to the last slot; what does not fit is the oldest. */
  #readWindow({ window = [], ageNanos }: Choice<Sample>, slots: number) {
    const elements = this.#masked.slice();
    const ageSecs = new Float64Array(slots).fill(Number.NaN);
    const kept = window.slice(-slots);
    const newest = window.at(-1);
    for (const [i, sample] of kept.entries()) {
      const slot = slots - kept.length + i;
      elements.set(this.#shaped(this.#read(sample), sample), slot * this.#count);
      ageSecs[slot] = nanosToSecs(ageNanos! + (newest!.time - sample.time));
    }
    return { elements, window: { ageSecs, leftOut: window.length - kept.length } };
  }

  #between(from: Sample, towards: NonNullable<Choice<Sample>['towards']>): Numbers {
    const [a, b] = [this.#pick(from), this.#pick(towards.value)];
    const elements = a.elements.map((value, i) => value + towards.weight * (b.elements[i]! - value));
    if (this.#feature.align === 'slerp') {
      for (const at of a.quaternions) {
        const turned = slerp(
          this.#rotation(a.elements, at, from),
          this.#rotation(b.elements, at, towards.value),
          towards.weight,
        );
        elements.set(turned, at);
      }
    }
    return { elements, quaternions: a.quaternions };
  }

  #pick(sample: Sample): Numbers {
    for (const recent of this.#recent) if (recent.sample === sample) return recent.numbers;
    const numbers = this.#read(sample);
    this.#recent = [{ sample, numbers }, ...this.#recent.slice(0, 1)];
    return numbers;
  }

  #read(sample: Sample): Numbers {
    const { align, rotation, dtype, packed } = this.#feature;
    const { elements: picked, quaternions } = this.#pickLaidOut(sample) ?? this.#pickDecoded(sample);
    const elements = packed ? this.#unpacked(picked, sample) : picked;
    if ((rotation || align === 'slerp') && quaternions.length === 0) {
      // Four plain numbers, as drivers send them in an array, are one rotation.
      if (elements.length !== 4) throw this.#fault(sample, `${this.#named()} holds no rotation`);
      return { elements: this.#scaled(elements, [0]), quaternions: [0] };
    }
    this.#scaled(elements, quaternions);
    if (dtype === 'float32' || dtype === 'float64') return { elements, quaternions };
    const misfit = elements.find((number) => !CAN_HOLD[dtype](number));
    if (misfit !== undefined) {
      throw this.#fault(sample, `there is the number ${misfit}, which dtype "${dtype}" cannot hold`);
    }
    return { elements, quaternions };
  }

  /** Straight from the bytes, where they are built like those before. */
  #pickLaidOut({ channel, data }: Sample): Numbers | undefined {
    if (!channel.layoutOf) return undefined;
    let picker = this.#pickers.get(channel);
    if (!picker) {
      picker = new LayoutPicker(channel.layoutOf, this.#paths);
      this.#pickers.set(channel, picker);
    }
    const picked = picker.pick(data);
    return picked && { elements: picked.numbers, quaternions: picked.quaternions };
  }

  /** Two bytes each, the lower one first. */
  #unpacked(bytes: Float64Array, sample: Sample): Float64Array {
    const isBytes = bytes.length % 2 === 0 && bytes.every((byte) => CAN_HOLD.uint8(byte));
    if (!isBytes) throw this.#fault(sample, `${this.#named()} holds no pairs of bytes`);
    return Float64Array.from(new Int16Array(Uint8Array.from(bytes).buffer));
  }

  #pickDecoded(sample: Sample): Numbers {
    const [numbers, quaternions]: [number[], number[]] = [[], []];
    try {
      for (const path of this.#paths) pickNumbers(sample.value, path, numbers, quaternions);
    } catch (error) {
      if (error instanceof PickFault) throw this.#fault(sample, error.message, error);
      throw error;
    }
    return { elements: Float64Array.from(numbers), quaternions };
  }

  /** In place: numbers in the feature's unit and range; rotations have none. */
  #scaled(elements: Float64Array, quaternions: readonly number[]): Float64Array {
    const { factor, offset } = this.#scale;
    if (factor === 1 && offset === 0) return elements;
    for (let i = 0; i < elements.length; i++) {
      if (quaternions.some((at) => i >= at && i < at + 4)) continue;
      elements[i] = elements[i]! * factor + offset;
    }
    return elements;
  }

  /** The numbers with rotations in the feature's form, as many as its shape asks for. */
  #shaped(numbers: Numbers, sample: Sample): Float64Array {
    const { rotation, shape } = this.#feature;
    const elements = this.#picture
      ? this.#resized(numbers.elements, { picture: this.#picture, sample })
      : rotation
        ? this.#converted(numbers, { rotation, sample })
        : numbers.elements;
    if (elements.length === this.#count) return elements;
    const [asked, each] = this.#slots === undefined ? [shape, ''] : [shape.slice(1), ' for each slot'];
    throw this.#fault(
      sample,
      `${this.#named()} holds ${elements.length} numbers, shape [${asked.join(', ')}] asks for ${this.#count}${each}`,
    );
  }

  #resized(
    elements: Float64Array,
    { picture, sample }: { readonly picture: PictureSize; readonly sample: Sample },
  ): Float64Array {
    const [width = 0, height = 0] = elements.subarray(9);
    try {
      return Float64Array.from(scaledIntrinsics(elements.subarray(0, 9), { width, height }, picture));
    } catch (error) {
      throw this.#fault(sample, `the intrinsics do not fit: ${(error as Error).message}`, error);
    }
  }

  #converted(
    { elements, quaternions }: Numbers,
    { rotation, sample }: { readonly rotation: RotationForm; readonly sample: Sample },
  ): Float64Array {
    const converted: number[] = [];
    let from = 0;
    for (const at of quaternions) {
      converted.push(...elements.subarray(from, at));
      converted.push(...FORMS[rotation](this.#rotation(elements, at, sample)));
      from = at + 4;
    }
    converted.push(...elements.subarray(from));
    return Float64Array.from(converted);
  }

  #rotation(elements: Float64Array, at: number, sample: Sample): Quaternion {
    const [x, y, z, w] = elements.subarray(at, at + 4);
    const rotation = normalized([x!, y!, z!, w!]);
    if (rotation) return rotation;
    throw this.#fault(sample, `there is the quaternion ${x}, ${y}, ${z}, ${w}, which is no rotation`);
  }

  #named(): string {
    return `field "${[this.#feature.field ?? []].flat().join(', ')}"`;
  }

  #fault({ channel }: Sample, found: string, cause?: unknown): ConvertError {
    const { key, topic, file } = this.#origin;
    return new ConvertError(
      `Cannot make feature "${key}" of "${file}": in the "${channel.type}" on "${topic}" ${sentence(found)} ` +
        "Correct the feature's field, shape or dtype in the contract.",
      { cause, contractPath: ['features', key, 'field'] },
    );
  }
}

/** The path of a contract that was checked where it was read. */
export function checkedPath(text: string): FieldPath {
  const parsed = parseFieldPath(text);
  if ('fault' in parsed) throw new RangeError(parsed.fault);
  return parsed.path;
}
