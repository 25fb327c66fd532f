import { CodedBits } from './coded-bits.ts';
import {
  attempt,
  type CodedFormat,
  isSame,
  type PictureHeaders,
  readFullRange,
  type VideoSyntax,
} from './video-syntax.ts';

/** Types of NAL units (ITU-T H.265, table 7-1). */
const [VPS, SPS, PPS, DELIMITER, FILLING] = [32, 33, 34, 35, 38];
const FIRST_SKIPPED_LEADING = 8;
const LAST_LEADING = 9;
const LAST_SUB_LAYER = 14;
const FIRST_KEYFRAME = 16;
const FIRST_IDR = 19;
const CLEAN_RANDOM_ACCESS = 21;
const LAST_KEYFRAME = 21;
const LAST_SLICE = 31;

/** Pictures that one refers to, by their distance in the order of showing, and whether it does so itself (7.3.7). */
type ReferenceSet = readonly { readonly delta: number; readonly isUsed: boolean }[];

/** A sequence parameter set (7.3.2.2). */
interface Sequence {
  readonly unit: Uint8Array;
  /** General profile, tier and level. */
  readonly profile: readonly number[];
  readonly subLayers: number;
  readonly isNested: boolean;
  readonly chroma: number;
  readonly hasSeparatePlanes: boolean;
  readonly lumaBits: number;
  readonly chromaBits: number;
  readonly orderBits: number;
  readonly referenceSets: readonly ReferenceSet[];
  readonly width: number;
  readonly height: number;
  readonly isFullRange: boolean;
}

/** The beginning of a picture parameter set (7.3.2.3.1). */
interface PictureParameters {
  readonly unit: Uint8Array;
  readonly sequence: number;
  readonly hasOutputFlag: boolean;
  readonly extraBits: number;
}

/** Reads the headers of H.265. Each picture says which it refers to; one of those that did not come was lost. */
export class H265Syntax implements VideoSyntax {
  /** By id. */
  readonly #videos = new Map<number, Uint8Array>();
  readonly #sequences = new Map<number, Sequence>();
  readonly #pictures = new Map<number, PictureParameters>();
  #format: { readonly sequence: Sequence; readonly format: CodedFormat } | undefined;
  /** Order of the latest picture that counts for the next ones' (8.3.1); undefined at the start. */
  #order: number | undefined;
  /** Those that may be referred to, by their order. */
  #held = new Set<number>();

  read(units: readonly Uint8Array[]): PictureHeaders | undefined {
    const kept: Uint8Array[] = [];
    const slices: Uint8Array[] = [];
    for (const unit of units) {
      const type = typeOf(unit);
      if (type === VPS) attempt(() => this.#takeVideo(unit));
      else if (type === SPS) attempt(() => this.#takeSequence(unit));
      else if (type === PPS) attempt(() => this.#takePicture(unit));
      else if (type !== DELIMITER && type !== FILLING) kept.push(unit);
      if (type <= LAST_SLICE) slices.push(unit);
    }
    const [first] = slices;
    if (!first) return undefined;
    const type = typeOf(first);
    const isKeyframe = type >= FIRST_KEYFRAME && type <= LAST_KEYFRAME;
    const isReset = isKeyframe && type < CLEAN_RANDOM_ACCESS;
    const picture = { isKeyframe, isReset, units: kept };
    const known = attempt(() => this.#readSlice(first, type));
    if (!known) {
      return {
        ...picture,
        isConnected: isKeyframe || undefined,
        ...{ showOrder: undefined, countedPictures: undefined, format: undefined },
      };
    }
    // Each begins with a slice that says so in its first bit.
    const isSingle = slices.filter((unit) => unit[2]! & 0x80).length === 1;
    return { ...picture, ...known, showOrder: isSingle ? known.showOrder : undefined };
  }

  #takeVideo(unit: Uint8Array): void {
    const id = new CodedBits(unit, 2).bits(4);
    if (isSame(this.#videos.get(id), unit)) return;
    this.#videos.set(id, unit);
    this.#format = undefined;
  }

  #takeSequence(unit: Uint8Array): void {
    const { id, ...sequence } = readSequence(unit);
    if (isSame(this.#sequences.get(id)?.unit, unit)) return;
    this.#sequences.set(id, sequence);
    this.#format = undefined;
  }

  #takePicture(unit: Uint8Array): void {
    const bits = new CodedBits(unit, 2);
    const [id, sequence] = [bits.unsigned(), bits.unsigned()];
    if (isSame(this.#pictures.get(id)?.unit, unit)) return;
    bits.skip(1);
    this.#pictures.set(id, { unit, sequence, hasOutputFlag: bits.flag(), extraBits: bits.bits(3) });
    this.#format = undefined;
  }

  /** The beginning of a slice header (7.3.6.1). */
  #readSlice(
    unit: Uint8Array,
    type: number,
  ): Pick<PictureHeaders, 'isConnected' | 'showOrder' | 'countedPictures' | 'format'> {
    const isKeyframe = type >= FIRST_KEYFRAME && type <= LAST_KEYFRAME;
    const bits = new CodedBits(unit, 2);
    bits.skip(isKeyframe ? 2 : 1);
    const parameters = this.#pictures.get(bits.unsigned());
    const sequence = this.#sequences.get(parameters?.sequence ?? -1);
    if (!parameters || !sequence) throw new RangeError('the video has no parameter sets yet');
    const format = this.#formatOf(sequence);
    const countedPictures = 2 ** sequence.orderBits;
    bits.skip(parameters.extraBits);
    bits.unsigned();
    if (parameters.hasOutputFlag) bits.skip(1);
    if (sequence.hasSeparatePlanes) bits.skip(2);
    const isIdr = type === FIRST_IDR || type === FIRST_IDR + 1;
    const low = isIdr ? 0 : bits.bits(sequence.orderBits);
    const beginsAnew = isKeyframe && type < CLEAN_RANDOM_ACCESS;
    const showOrder = this.#showOrder(low, beginsAnew ? undefined : this.#order, countedPictures);
    const isTemporalBase = (unit[1]! & 7) === 1;
    const isSubLayer = type <= LAST_SUB_LAYER && type % 2 === 0;
    const isLeading = type >= 6 && type <= LAST_LEADING;
    if (isTemporalBase && !isSubLayer && !isLeading) this.#order = showOrder;
    const references = isIdr ? [] : readReferences(bits, sequence);
    const known = this.#held;
    const isHeld = ({ delta }: ReferenceSet[number]) => known.has(showOrder + delta);
    // Those that lead a keyframe refer to what lies before it, where decoding may not have begun.
    const isSkipped = type === FIRST_SKIPPED_LEADING || type === LAST_LEADING;
    const isConnected = isKeyframe || (!isSkipped && references.filter(({ isUsed }) => isUsed).every(isHeld));
    this.#held = new Set([...references.filter(isHeld).map(({ delta }) => showOrder + delta), showOrder]);
    return { isConnected, showOrder, countedPictures, format };
  }

  /** The picture order count (8.3.1). */
  #showOrder(low: number, before: number | undefined, all: number): number {
    if (before === undefined) return low;
    const lowBefore = ((before % all) + all) % all;
    const high = before - lowBefore;
    if (lowBefore - low >= all / 2) return high + all + low;
    return low - lowBefore > all / 2 ? high - all + low : high + low;
  }

  #formatOf(sequence: Sequence): CodedFormat {
    if (this.#format?.sequence !== sequence) {
      const sequences = this.#sequences.values().map(({ unit }) => unit);
      const pictures = this.#pictures.values().map(({ unit }) => unit);
      const sets = [[...this.#videos.values()], [...sequences], [...pictures]];
      this.#format = { sequence, format: formatOf(sequence, sets) };
    }
    return this.#format.format;
  }
}

function typeOf(unit: Uint8Array): number {
  return (unit[0]! >> 1) & 0x3f;
}

function readSequence(unit: Uint8Array): Sequence & { readonly id: number } {
  const bits = new CodedBits(unit, 2);
  bits.skip(4);
  const subLayers = 1 + bits.bits(3);
  const isNested = bits.flag();
  const profile = Array.from({ length: 12 }, () => bits.bits(8));
  passSubLayers(bits, subLayers);
  const id = bits.unsigned();
  const chroma = bits.unsigned();
  const hasSeparatePlanes = chroma === 3 && bits.flag();
  const [width, height] = [bits.unsigned(), bits.unsigned()];
  const crop = bits.flag() ? Array.from({ length: 4 }, () => bits.unsigned()) : [0, 0, 0, 0];
  const [lumaBits, chromaBits, orderBits] = [8 + bits.unsigned(), 8 + bits.unsigned(), 4 + bits.unsigned()];
  const listed = bits.flag() ? subLayers : 1;
  for (let left = 3 * listed; left > 0; left--) bits.unsigned();
  for (let left = 6; left > 0; left--) bits.unsigned();
  if (bits.flag() && bits.flag()) passScalingLists(bits);
  bits.skip(2);
  if (bits.flag()) {
    bits.skip(8);
    bits.unsigned();
    bits.unsigned();
    bits.skip(1);
  }
  const referenceSets: ReferenceSet[] = [];
  const sets = bits.unsigned();
  for (let i = 0; i < sets; i++)
    referenceSets.push(readReferenceSet(bits, { sets: referenceSets, count: sets }));
  if (bits.flag()) for (let left = bits.unsigned(); left > 0; left--) bits.skip(orderBits + 1);
  bits.skip(2);
  const [across, down] = [chroma === 1 || chroma === 2 ? 2 : 1, chroma === 1 ? 2 : 1];
  return {
    ...{ id, unit, profile, subLayers, isNested, chroma, hasSeparatePlanes, lumaBits, chromaBits, orderBits },
    referenceSets,
    width: width - across * (crop[0]! + crop[1]!),
    height: height - down * (crop[2]! + crop[3]!),
    isFullRange: bits.flag() && readFullRange(bits),
  };
}

/** Profiles and levels of sub-layers (7.3.3). */
function passSubLayers(bits: CodedBits, subLayers: number): void {
  const present = Array.from({ length: subLayers - 1 }, () => [bits.flag(), bits.flag()] as const);
  if (subLayers > 1) bits.skip(2 * (9 - subLayers));
  for (const [hasProfile, hasLevel] of present) bits.skip((hasProfile ? 88 : 0) + (hasLevel ? 8 : 0));
}

function passScalingLists(bits: CodedBits): void {
  for (let size = 0; size < 4; size++) {
    for (let matrix = 0; matrix < 6; matrix += size === 3 ? 3 : 1) {
      if (!bits.flag()) {
        bits.unsigned();
        continue;
      }
      const coefficients = Math.min(64, 1 << (4 + 2 * size)) + (size > 1 ? 1 : 0);
      for (let left = coefficients; left > 0; left--) bits.signed();
    }
  }
}

/** What a slice refers to; pictures kept for long are not followed, the decoder tells where one lacks. */
function readReferences(bits: CodedBits, { referenceSets: sets }: Sequence): ReferenceSet {
  const count = sets.length;
  if (!bits.flag()) return readReferenceSet(bits, { sets, count });
  const set = sets[count > 1 ? bits.bits(Math.ceil(Math.log2(count))) : 0];
  if (!set) throw new RangeError('a slice names a reference picture set that there is not');
  return set;
}

/** @param known those before it, and how many the sequence has (7.3.7, 7.4.8). */
function readReferenceSet(
  bits: CodedBits,
  { sets, count }: { readonly sets: readonly ReferenceSet[]; readonly count: number },
): ReferenceSet {
  const index = sets.length;
  if (index > 0 && bits.flag()) {
    const back = index === count ? bits.unsigned() + 1 : 1;
    const isNegative = bits.flag();
    const shift = (bits.unsigned() + 1) * (isNegative ? -1 : 1);
    const base = sets[index - back];
    if (!base) throw new RangeError('a reference picture set builds on one that there is not');
    const shifted = [...base, { delta: 0 }].flatMap(({ delta }) => {
      const isUsed = bits.flag();
      return isUsed || bits.flag() ? [{ delta: delta + shift, isUsed }] : [];
    });
    return inOrder(shifted.filter(({ delta }) => delta !== 0));
  }
  const [before, after] = [bits.unsigned(), bits.unsigned()];
  const set: ReferenceSet[number][] = [];
  for (const [pictures, direction] of [[before, -1] as const, [after, 1] as const]) {
    let delta = 0;
    for (let left = pictures; left > 0; left--) {
      delta += direction * (bits.unsigned() + 1);
      set.push({ delta, isUsed: bits.flag() });
    }
  }
  return set;
}

/** Those before the picture, the nearest first, then those after it. */
function inOrder(set: ReferenceSet): ReferenceSet {
  return set.toSorted((a, b) =>
    a.delta < 0 === b.delta < 0 ? Math.abs(a.delta) - Math.abs(b.delta) : a.delta - b.delta,
  );
}

/** @param sets units of video, sequence and picture parameters. */
function formatOf(sequence: Sequence, sets: readonly (readonly Uint8Array[])[]): CodedFormat {
  const { profile, subLayers, isNested, chroma, lumaBits, chromaBits, width, height, isFullRange } = sequence;
  const arrays = sets.flatMap((units, i) => [
    // Complete: none of this kind lies among the pictures.
    Buffer.of(0x80 | (VPS! + i), units.length >> 8, units.length & 0xff),
    ...units.flatMap((unit) => [Buffer.of(unit.length >> 8, unit.length & 0xff), unit]),
  ]);
  const configuration = Buffer.concat([
    Buffer.of(1, ...profile, 0xf0, 0, 0xfc, 0xfc | chroma, 0xf8 | (lumaBits - 8), 0xf8 | (chromaBits - 8)),
    // No average rate; layers; lengths of four bytes.
    Buffer.of(0, 0, (subLayers << 3) | (isNested ? 4 : 0) | 3, sets.length),
    ...arrays,
  ]);
  const isPlain = chroma === 1 && lumaBits === 8 && chromaBits === 8;
  return { width, height, isPlain, isFullRange, parameterSets: sets.flat(), configuration };
}
