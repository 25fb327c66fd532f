import type { CodedBits } from './coded-bits.ts';

/** What the headers of a coded picture tell without decoding it; `h264-syntax.ts` and `h265-syntax.ts` read it. */
export interface PictureHeaders {
  /** Whether it can be decoded without those before it. */
  readonly isKeyframe: boolean;
  /** Whether nothing after it refers to anything before it: the numbers of pictures begin anew. */
  readonly isReset: boolean;
  /** Whether all that it refers to has come; undefined where the headers do not tell. */
  readonly isConnected: boolean | undefined;
  /** Place in the order in which pictures are shown, since the last reset; undefined where it is not read. */
  readonly showOrder: number | undefined;
  /** After how many pictures lost in a row the numbers of pictures look as if there was no gap. */
  readonly countedPictures: number | undefined;
  /** Of the parameter sets that the picture is coded by; the same object while they are the same. */
  readonly format: CodedFormat | undefined;
  /** All units but parameter sets, delimiters and filling. */
  readonly units: readonly Uint8Array[];
}

/** What the parameter sets of a stream say of its pictures. */
export interface CodedFormat {
  /** Of the picture that is shown. */
  readonly width: number;
  readonly height: number;
  /** Whether they are progressive pictures of 8 bits in 4:2:0, which every decoder takes. */
  readonly isPlain: boolean;
  /** Whether luma goes from 0 to 255 instead of 16 to 235. */
  readonly isFullRange: boolean;
  /** NAL units, in the order in which a decoder needs them. */
  readonly parameterSets: readonly Uint8Array[];
  /** The content of `avcC` or `hvcC` (ISO/IEC 14496-15). */
  readonly configuration: Uint8Array;
}

/** Reads the headers of a stream, message by message. */
export interface VideoSyntax {
  /**
   * @param units of one message.
   * @returns undefined where the message holds no picture.
   */
  read(units: readonly Uint8Array[]): PictureHeaders | undefined;
}

/** Whether two units are the same. */
export function isSame(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && Buffer.compare(a, b) === 0;
}

/** What `read` gives, or undefined where the headers are damaged or of a kind that is not read. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** `video_full_range_flag` at the beginning of the usability information, the same in both codecs (E.1.1, E.2.1). */
export function readFullRange(bits: CodedBits): boolean {
  const EXTENDED_ASPECT = 255;
  if (bits.flag() && bits.bits(8) === EXTENDED_ASPECT) bits.skip(32);
  if (bits.flag()) bits.skip(1);
  if (!bits.flag()) return false;
  bits.skip(3);
  return bits.flag();
}
