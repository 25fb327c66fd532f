import { createReadStream, createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DatasetError } from '../schemas/errors.ts';
import type { Mp4Video } from './mp4-reader.ts';

/**
 * Writes videos one after the other into one mp4 file, their frames unchanged: constant frame rate, the
 * first frame at 0, the index first, no edit list, no time of writing. The same frames give the same bytes.
 *
 * @param parts at least one, of one codec, size and time scale, each in presentation order.
 * @throws {DatasetError} when the parts do not fit together.
 */
export async function joinVideos(parts: readonly Mp4Video[], file: string): Promise<void> {
  const first = parts[0];
  if (!first) throw new RangeError('joining needs at least one video');
  const entry = plainEntry(first);
  for (const part of parts) {
    if (!part.presentationOrder)
      throw new DatasetError(`Cannot join "${part.file}": its frames are reordered.`);
    if (!canJoin(part, first)) {
      throw new DatasetError(
        `Cannot join "${part.file}" to "${first.file}": parts must have one codec, size and time scale.`,
      );
    }
  }
  const head = header(parts, entry);
  await pipeline(
    Readable.from(
      (async function* () {
        yield head;
        for (const part of parts) {
          for (const { start, end } of extents(part)) {
            yield* createReadStream(part.file, { start, end: end - 1, highWaterMark: 1 << 20 });
          }
        }
      })(),
    ),
    createWriteStream(file),
  );
}

/** Whether frames of two videos may lie in one file: a decoder is set up once, for all of them. */
export function canJoin(a: Mp4Video, b: Mp4Video): boolean {
  return a.timescale === b.timescale && plainEntry(a).equals(plainEntry(b));
}

/** The sample entry without the boxes that describe this file only, such as its bit rate. */
function plainEntry({ sampleEntry }: Mp4Video): Buffer {
  // SampleEntry (16 bytes with the box's header) and VisualSampleEntry (70 bytes).
  const fields = 86;
  const kept = [sampleEntry.subarray(0, fields)];
  for (let at = fields; at + 8 <= sampleEntry.length; ) {
    const size = sampleEntry.readUInt32BE(at);
    const type = sampleEntry.toString('latin1', at + 4, at + 8);
    if (['av1C', 'avcC', 'hvcC', 'colr', 'pasp'].includes(type))
      kept.push(sampleEntry.subarray(at, at + size));
    at += Math.max(size, 8);
  }
  const entry = Buffer.concat(kept);
  entry.writeUInt32BE(entry.length, 0);
  return entry;
}

/** The frames of a video as few contiguous ranges of its file, in order. */
function extents({ sizes, offsets }: Mp4Video): { start: number; end: number }[] {
  const ranges: { start: number; end: number }[] = [];
  for (const [i, size] of sizes.entries()) {
    const start = offsets[i]!;
    const last = ranges.at(-1);
    if (last?.end === start) last.end += size;
    else ranges.push({ start, end: start + size });
  }
  return ranges;
}

/** Everything before the first frame. */
function header(parts: readonly Mp4Video[], entry: Buffer): Buffer {
  const sizes = parts.flatMap((part) => [...part.sizes]);
  const keyframes: number[] = [];
  let before = 0;
  for (const { sizes, keyframes: own } of parts) {
    for (const index of own ?? sizes.keys()) keyframes.push(before + index + 1);
    before += sizes.length;
  }
  const { width, height, timescale, codec, durations } = parts[0]!;
  const delta = durations[0] ?? 0;
  const ticks = sizes.length * delta;
  const payload = sizes.reduce((sum, size) => sum + size, 0);
  const type = box('ftyp', text('isom'), u32(512), text('isom'), text('iso2'), text(codec), text('mp41'));
  const index = (dataStart: number) =>
    box(
      'moov',
      full(
        'mvhd',
        1,
        0,
        u64(0, 0),
        u32(timescale),
        u64(ticks),
        u32(1 << 16),
        u16(1 << 8, 0),
        u64(0),
        MATRIX,
        zeros(24),
        u32(2),
      ),
      box(
        'trak',
        full(
          'tkhd',
          1,
          3,
          u64(0, 0),
          u32(1, 0),
          u64(ticks, 0),
          u16(0, 0, 0, 0),
          MATRIX,
          u32(width * 65536, height * 65536),
        ),
        box(
          'mdia',
          // 0x55c4 is the language "und".
          full('mdhd', 1, 0, u64(0, 0), u32(timescale), u64(ticks), u16(0x55c4, 0)),
          full('hdlr', 0, 0, u32(0), text('vide'), zeros(12), text('VideoHandler\0')),
          box(
            'minf',
            full('vmhd', 0, 1, zeros(8)),
            box('dinf', full('dref', 0, 0, u32(1), full('url ', 0, 1))),
            box(
              'stbl',
              full('stsd', 0, 0, u32(1), entry),
              full('stts', 0, 0, u32(1, sizes.length, delta)),
              full('stss', 0, 0, u32(keyframes.length), u32Array(keyframes)),
              full('stsc', 0, 0, u32(1, 1, sizes.length, 1)),
              full('stsz', 0, 0, u32(0, sizes.length), u32Array(sizes)),
              full('co64', 0, 0, u32(1), u64(dataStart)),
            ),
          ),
        ),
      ),
    );
  const dataHeader = Buffer.concat([u32(1), text('mdat'), u64(16 + payload)]);
  const dataStart = type.length + index(0).length + dataHeader.length;
  return Buffer.concat([type, index(dataStart), dataHeader]);
}

/** A box of an mp4 file (ISO/IEC 14496-12, 4.2). */
export function box(type: string, ...content: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat(content);
  return Buffer.concat([u32(8 + bytes.length), text(type), bytes]);
}

/** A box with a version and flags. */
function full(type: string, version: number, flags: number, ...content: readonly Buffer[]): Buffer {
  return box(type, u32(version * 2 ** 24 + flags), ...content);
}

const text = (ascii: string) => Buffer.from(ascii, 'latin1');
const zeros = (bytes: number) => Buffer.alloc(bytes);
const u16 = (...values: readonly number[]) =>
  numbers(2, values, (to, value, at) => to.writeUInt16BE(value, at));
/** Numbers of 32 bits as mp4 has them. */
export const u32 = (...values: readonly number[]) => u32Array(values);
const u32Array = (values: readonly number[]) =>
  numbers(4, values, (to, value, at) => to.writeUInt32BE(value, at));
const u64 = (...values: readonly number[]) =>
  numbers(8, values, (to, value, at) => to.writeBigUInt64BE(BigInt(value), at));

function numbers(
  bytes: number,
  values: readonly number[],
  write: (to: Buffer, value: number, at: number) => void,
): Buffer {
  const buffer = Buffer.alloc(bytes * values.length);
  for (const [i, value] of values.entries()) write(buffer, value, i * bytes);
  return buffer;
}

/** Unity: the picture is shown as it is. */
const MATRIX = u32(1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 2 ** 30);
