import type { MessageValue } from '../schemas/message.ts';
import { nalUnits } from './coded-bits.ts';

/** Codecs of a `foxglove_msgs/msg/CompressedVideo` that are decoded; both in Annex B, one picture a message. */
export type VideoCodec = 'h264' | 'h265';

/** Whether messages of a type hold video, of which most pictures need those before them. */
export function isVideo(type: string): boolean {
  return /(^|[./])CompressedVideo$/.test(type);
}

/** Whether a format is one that is decoded. */
export function isCodec(format: unknown): format is VideoCodec {
  return format === 'h264' || format === 'h265';
}

/** @throws {RangeError} when it is not one that is decoded. */
export function codecOf({ format }: MessageValue): VideoCodec {
  if (isCodec(format)) return format;
  throw new RangeError(`its format "${format}" is not one of "h264", "h265"`);
}

/** Whether a picture can be decoded without those before it: one of its units is of an intra picture. */
export function isKeyframe({ data, format }: MessageValue): boolean {
  if (!(data instanceof Uint8Array)) return false;
  return nalUnits(data).some(([byte = 0]) => {
    // H.264: 5 is an IDR slice. H.265: 16 to 21 are slices of IRAP pictures.
    const type = format === 'h265' ? (byte >> 1) & 0x3f : byte & 0x1f;
    return format === 'h265' ? type >= 16 && type <= 21 : type === 5;
  });
}
