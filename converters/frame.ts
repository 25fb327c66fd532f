import type { Feature, ImageFeature, TextFeature, VectorFeature } from '../schemas/contract.ts';
import type { VideoPicture } from './video-stream.ts';

/** All features of an episode at one tick. */
export interface Frame {
  /** Position in the episode, from 0. */
  readonly index: number;
  /** The tick, on the clock that the contract names. */
  readonly tickTime: bigint;
  /** In the order of the contract's features. */
  readonly values: ReadonlyMap<string, FrameValue>;
}

export type FrameValue = VectorValue | ImageValue | TextValue;

interface Timing {
  /**
   * Whether a value lies within the feature's tolerance of the tick. Where false, numbers are NaN (0 for
   * integers and booleans), the text is empty and the picture is the one shown before, black at first: use the mask.
   */
  readonly valid: boolean;
  /**
   * Tick minus the time of the value used, nanoseconds; negative for a value from after the tick. With
   * a value between two others the larger distance of the two; with a window that of the newest. Undefined where there is no value at all.
   */
  readonly ageNanos: bigint | undefined;
}

/** Numbers: of a vector, a depth map, a cloud of points, or what the episode was worth. */
export interface VectorValue<F extends NumericFeature = NumericFeature> extends Timing {
  readonly kind: 'vector';
  readonly feature: F;
  /** Flattened, row-major, in the feature's unit. */
  readonly elements: Elements;
  /** With `align: window`. */
  readonly window?: WindowSlots;
}

/** Depth maps and clouds are large, and keep the type that they are stored in. */
export type Elements = Float64Array | Float32Array | Uint16Array;

/** The slots of a window, which are the first dimension of its value. Empty ones come first and hold NaN. */
export interface WindowSlots {
  /** Tick minus the time of each slot's value, seconds; NaN where the slot is empty. */
  readonly ageSecs: Float64Array;
  /** How many values there were beyond the number of slots: the oldest, which are in no frame. */
  readonly leftOut: number;
}

export interface ImageValue extends Timing {
  readonly kind: 'image';
  readonly feature: ImageFeature;
  /** [height, width, 3] uint8, row-major, brought to the feature's size and order of colours. */
  readonly pixels: Uint8Array;
  /** Of video: the coded picture that was chosen. */
  readonly coded?: VideoPicture | undefined;
}

export interface TextValue extends Timing {
  readonly kind: 'text';
  readonly feature: TextFeature;
  readonly text: string;
}

/** Every feature but pictures and text. */
export type NumericFeature = Exclude<Feature, ImageFeature | TextFeature>;

/** How the numbers of a feature lie in a dataset. */
export interface NumberForm {
  readonly dtype: VectorFeature['dtype'];
  readonly shape: readonly number[];
  /** Name of each element, where they have one. */
  readonly names?: readonly string[] | undefined;
  readonly unit?: string | undefined;
}

export function numberForm(feature: NumericFeature): NumberForm {
  switch (feature.kind) {
    case 'vector':
      return feature;
    case 'depth': {
      const { unit, height, width } = feature;
      return { dtype: unit === 'm' ? 'float32' : 'uint16', shape: [height, width], unit };
    }
    case 'points':
      return { dtype: 'float32', shape: [feature.count, feature.fields.length] };
    case 'outcome': {
      const isFlag = feature.value === 'done' || feature.value === 'success';
      return { dtype: isFlag ? 'bool' : 'float32', shape: [1] };
    }
    default:
      return feature satisfies never;
  }
}

/** Whether the values of a feature are numbers that are not pixels. */
export function isNumeric(feature: Feature): feature is NumericFeature {
  return feature.kind !== 'image' && feature.kind !== 'text';
}

/** Number of slots of a feature that is a window; undefined for all others. */
export function slotCount(feature: Feature): number | undefined {
  return feature.kind === 'vector' && feature.align === 'window' ? feature.shape[0] : undefined;
}

/** Number of elements of one value, or of bytes of one picture. */
export function elementCount(feature: NumericFeature | ImageFeature): number {
  if (feature.kind === 'image') return feature.width * feature.height * 3;
  return numberForm(feature).shape.reduce((product, n) => product * n, 1);
}
