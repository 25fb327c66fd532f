import type { Feature, ImageFeature, VectorFeature } from '../schemas/contract.ts';

/** All features of an episode at one tick. */
export interface Frame {
  /** Position in the episode, from 0. */
  readonly index: number;
  /** The tick, on the clock that the contract names. */
  readonly tickTime: bigint;
  /** In the order of the contract's features. */
  readonly values: ReadonlyMap<string, FrameValue>;
}

export type FrameValue = VectorValue | ImageValue;

interface Timing {
  /**
   * Whether a value lies within the feature's tolerance of the tick. Where false, vector elements are NaN
   * (0 for integers and booleans) and the picture is the one shown before, black at first: use the mask.
   */
  readonly valid: boolean;
  /**
   * Tick minus the time of the value used, nanoseconds; negative for a value from after the tick. With
   * a value between two others the larger distance of the two; with a window that of the newest. Undefined where there is no value at all.
   */
  readonly ageNanos: bigint | undefined;
}

export interface VectorValue extends Timing {
  readonly kind: 'vector';
  readonly feature: VectorFeature;
  /** Flattened, row-major, in the feature's unit. */
  readonly elements: Float64Array;
  /** With `align: window`. */
  readonly window?: WindowSlots;
}

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
  /** [height, width, 3] uint8 RGB, row-major, brought to the feature's size. */
  readonly pixels: Uint8Array;
}

/** Number of slots of a feature that is a window; undefined for all others. */
export function slotCount(feature: Feature): number | undefined {
  return feature.kind === 'vector' && feature.align === 'window' ? feature.shape[0] : undefined;
}

/** Number of elements of one value. */
export function elementCount(feature: Feature): number {
  return feature.kind === 'vector'
    ? feature.shape.reduce((product, n) => product * n, 1)
    : feature.width * feature.height * 3;
}
