import { CodedBits } from './coded-bits.ts';
import {
  attempt,
  type CodedFormat,
  isSame,
  type PictureHeaders,
  readFullRange,
  type VideoSyntax,
} from './video-syntax.ts';

/** Types of NAL units (ITU-T H.264, table 7-1). */
const [SLICE, IDR_SLICE, SPS, PPS, DELIMITER, FILLING] = [1, 5, 7, 8, 9, 12];
/** Profiles whose parameter sets say which colours and depths they have. */
const HIGH_PROFILES = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
/** Of those, the ones whose `avcC` says so too. */
const EXTENDED_CONFIGURATIONS = new Set([100, 110, 122, 144]);

/** A sequence parameter set (7.3.2.1.1). */
interface Sequence {
  readonly unit: Uint8Array;
  readonly profile: number;
  readonly chroma: number;
  readonly hasSeparatePlanes: boolean;
  readonly lumaBits: number;
  readonly chromaBits: number;
  readonly frameNumberBits: number;
  readonly orderType: number;
  readonly orderBits: number;
  readonly mayLackFrames: boolean;
  readonly isProgressive: boolean;
  readonly width: number;
  readonly height: number;
  readonly isFullRange: boolean;
}

/** Reads the headers of H.264. A lost picture shows as a gap in `frame_num`, unless nothing refers to it. */
export class H264Syntax implements VideoSyntax {
  /** By id. */
  readonly #sequences = new Map<number, Sequence>();
  readonly #pictures = new Map<number, { readonly unit: Uint8Array; readonly sequence: number }>();
  #format: { readonly sequence: Sequence; readonly format: CodedFormat } | undefined;
  /** `frame_num` of the latest picture that others may refer to; undefined where it was not read. */
  #frameNumber: number | undefined;
  /** Of the latest picture that others may refer to (8.2.1.1). */
  #order = { high: 0, low: 0 };
  #sinceReset = 0;

  read(units: readonly Uint8Array[]): PictureHeaders | undefined {
    const kept: Uint8Array[] = [];
    const slices: Uint8Array[] = [];
    for (const unit of units) {
      const type = unit[0]! & 0x1f;
      if (type === SPS) attempt(() => this.#takeSequence(unit));
      else if (type === PPS) attempt(() => this.#takePicture(unit));
      else if (type !== DELIMITER && type !== FILLING) kept.push(unit);
      if (type >= SLICE! && type <= IDR_SLICE!) slices.push(unit);
    }
    const [first] = slices;
    if (!first) return undefined;
    const isReset = slices.some((unit) => (unit[0]! & 0x1f) === IDR_SLICE);
    if (isReset) this.#beginAnew();
    const picture = { isKeyframe: isReset, isReset, units: kept };
    const known = attempt(() => this.#readSlice(first, isReset));
    if (!known) {
      this.#frameNumber = undefined;
      return {
        ...picture,
        isConnected: isReset || undefined,
        ...{ showOrder: undefined, countedPictures: undefined, format: undefined },
      };
    }
    // A second one begins with the first macroblock, whose number 0 is a single bit of 1.
    const isSingle = slices.filter((unit) => unit[1]! & 0x80).length === 1;
    return { ...picture, ...known, showOrder: isSingle ? known.showOrder : undefined };
  }

  #beginAnew(): void {
    this.#frameNumber = undefined;
    this.#order = { high: 0, low: 0 };
    this.#sinceReset = 0;
  }

  #takeSequence(unit: Uint8Array): void {
    const { id, ...sequence } = readSequence(unit);
    if (isSame(this.#sequences.get(id)?.unit, unit)) return;
    this.#sequences.set(id, sequence);
    this.#format = undefined;
  }

  #takePicture(unit: Uint8Array): void {
    const bits = new CodedBits(unit, 1);
    const [id, sequence] = [bits.unsigned(), bits.unsigned()];
    if (isSame(this.#pictures.get(id)?.unit, unit)) return;
    this.#pictures.set(id, { unit, sequence });
    this.#format = undefined;
  }

  /** The beginning of a slice header (7.3.3). */
  #readSlice(
    unit: Uint8Array,
    isReset: boolean,
  ): Pick<PictureHeaders, 'isConnected' | 'showOrder' | 'countedPictures' | 'format'> {
    const bits = new CodedBits(unit, 1);
    bits.unsigned();
    bits.unsigned();
    const sequence = this.#sequences.get(this.#pictures.get(bits.unsigned())?.sequence ?? -1);
    if (!sequence) throw new RangeError('the video has no parameter sets yet');
    const format = this.#formatOf(sequence);
    if (sequence.hasSeparatePlanes) bits.skip(2);
    const frameNumber = bits.bits(sequence.frameNumberBits);
    const isReference = (unit[0]! & 0x60) !== 0;
    const before = this.#frameNumber;
    if (isReference) this.#frameNumber = frameNumber;
    // Two fields share a number.
    if (!sequence.isProgressive) {
      return { isConnected: isReset || undefined, showOrder: undefined, countedPictures: undefined, format };
    }
    if (isReset) bits.unsigned();
    const showOrder = this.#showOrder(sequence, bits, isReference);
    const countedPictures = 2 ** sequence.frameNumberBits;
    if (isReset) return { isConnected: true, showOrder, countedPictures, format };
    if (sequence.mayLackFrames || before === undefined) {
      return { isConnected: undefined, showOrder, countedPictures: undefined, format };
    }
    const isConnected = frameNumber === (before + 1) % countedPictures;
    return { isConnected, showOrder, countedPictures, format };
  }

  /** The picture order count (8.2.1); undefined for its type 1, which hardly any encoder uses. */
  #showOrder({ orderType, orderBits }: Sequence, bits: CodedBits, isReference: boolean): number | undefined {
    if (orderType === 2) return this.#sinceReset++;
    if (orderType !== 0) return undefined;
    const order = { high: this.#order.high, low: bits.bits(orderBits) };
    const [step, all] = [order.low - this.#order.low, 2 ** orderBits];
    if (step <= -all / 2) order.high += all;
    else if (step > all / 2) order.high -= all;
    if (isReference) this.#order = order;
    return order.high + order.low;
  }

  #formatOf(sequence: Sequence): CodedFormat {
    if (this.#format?.sequence !== sequence) {
      const sequences = this.#sequences.values().map(({ unit }) => unit);
      const pictures = this.#pictures.values().map(({ unit }) => unit);
      this.#format = { sequence, format: formatOf(sequence, [...sequences], [...pictures]) };
    }
    return this.#format.format;
  }
}

function readSequence(unit: Uint8Array): Sequence & { readonly id: number } {
  const bits = new CodedBits(unit, 1);
  const profile = bits.bits(8);
  bits.skip(16);
  const id = bits.unsigned();
  let [chroma, hasSeparatePlanes, lumaBits, chromaBits] = [1, false, 8, 8];
  if (HIGH_PROFILES.has(profile)) {
    chroma = bits.unsigned();
    if (chroma === 3) hasSeparatePlanes = bits.flag();
    [lumaBits, chromaBits] = [8 + bits.unsigned(), 8 + bits.unsigned()];
    bits.skip(1);
    if (bits.flag()) passScalingLists(bits, chroma === 3 ? 12 : 8);
  }
  const frameNumberBits = 4 + bits.unsigned();
  const orderType = bits.unsigned();
  const orderBits = orderType === 0 ? 4 + bits.unsigned() : 0;
  if (orderType === 1) {
    bits.skip(1);
    bits.signed();
    bits.signed();
    for (let left = bits.unsigned(); left > 0; left--) bits.signed();
  }
  bits.unsigned();
  const mayLackFrames = bits.flag();
  const [columns, rows] = [1 + bits.unsigned(), 1 + bits.unsigned()];
  const isProgressive = bits.flag();
  if (!isProgressive) bits.skip(1);
  bits.skip(1);
  const crop = bits.flag() ? Array.from({ length: 4 }, () => bits.unsigned()) : [0, 0, 0, 0];
  const [across, down] = [chroma === 1 || chroma === 2 ? 2 : 1, chroma === 1 ? 2 : 1];
  const fields = isProgressive ? 1 : 2;
  return {
    ...{ id, unit, profile, chroma, hasSeparatePlanes, lumaBits, chromaBits, frameNumberBits },
    ...{ orderType, orderBits, mayLackFrames, isProgressive },
    width: 16 * columns - across * (crop[0]! + crop[1]!),
    height: 16 * rows * fields - down * fields * (crop[2]! + crop[3]!),
    isFullRange: bits.flag() && readFullRange(bits),
  };
}

function passScalingLists(bits: CodedBits, lists: number): void {
  for (let list = 0; list < lists; list++) {
    if (!bits.flag()) continue;
    let [last, next] = [8, 8];
    for (let i = 0; i < (list < 6 ? 16 : 64); i++) {
      if (next !== 0) next = (last + bits.signed() + 256) % 256;
      if (next !== 0) last = next;
    }
  }
}

function formatOf(
  sequence: Sequence,
  sequences: readonly Uint8Array[],
  pictures: readonly Uint8Array[],
): CodedFormat {
  const { unit, profile, chroma, lumaBits, chromaBits, isProgressive, width, height, isFullRange } = sequence;
  const isPlain = chroma === 1 && lumaBits === 8 && chromaBits === 8 && isProgressive;
  const listed = (units: readonly Uint8Array[]) =>
    units.flatMap((each) => [Buffer.of(each.length >> 8, each.length & 0xff), each]);
  const configuration = Buffer.concat([
    // Version 1, profile, compatibility and level; lengths of four bytes.
    Buffer.of(1, ...unit.subarray(1, 4), 0xff, 0xe0 | sequences.length),
    ...listed(sequences),
    Buffer.of(pictures.length),
    ...listed(pictures),
    ...(EXTENDED_CONFIGURATIONS.has(profile)
      ? [Buffer.of(0xfc | chroma, 0xf8 | (lumaBits - 8), 0xf8 | (chromaBits - 8), 0)]
      : []),
  ]);
  const parameterSets = [...sequences, ...pictures];
  return { width, height, isPlain, isFullRange, parameterSets, configuration };
}
