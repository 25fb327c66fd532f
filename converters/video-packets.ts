import type { MessageValue } from '../schemas/message.ts';

/** Codecs of a `foxglove_msgs/msg/CompressedVideo` that are decoded; both in Annex B, one picture a message. */
export type VideoCodec = 'h264' | 'h265';

/** Whether messages of a type hold video, of which most pictures need those before them. */
export function isVideo(type: string): boolean {
  return /(^|[./])CompressedVideo$/.test(type);
}

/** @throws {RangeError} when it is not one that is decoded. */
export function codecOf({ format }: MessageValue): VideoCodec {
  if (format === 'h264' || format === 'h265') return format;
  throw new RangeError(`its format "${format}" is not one of "h264", "h265"`);
}

/** Whether a picture can be decoded without those before it: one of its units is of an intra picture. */
export function isKeyframe(message: MessageValue): boolean {
  const { data, format } = message;
  if (!(data instanceof Uint8Array)) return false;
  for (const unit of unitStarts(data)) {
    const byte = data[unit]!;
    // H.264: 5 is an IDR slice. H.265: 16 to 21 are slices of IRAP pictures.
    if (format === 'h265' ? ((byte >> 1) & 0x3f) >= 16 && ((byte >> 1) & 0x3f) <= 21 : (byte & 0x1f) === 5) {
      return true;
    }
  }
  return false;
}

/** Where the units of an Annex B stream begin, after each start code. */
function* unitStarts(data: Uint8Array): Generator<number> {
  for (let i = data.indexOf(1, 2); i >= 0 && i + 1 < data.length; i = data.indexOf(1, i + 1)) {
    if (data[i - 1] === 0 && data[i - 2] === 0) yield i + 1;
  }
}
