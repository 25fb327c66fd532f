import { CHUNK_FIELDS_BYTES, type ChunkPlace, readMessageIndexes, type Selection } from './chunk-reader.ts';
import type { FileBytes } from './file-bytes.ts';
import { lengthAt, viewOf } from './mcap-decode.ts';
import { FormatFault, OPCODE } from './mcap-format.ts';

/** What a read of its own costs, in bytes that could be read along instead. */
const READ_COST_BYTES = 32 * 1024;

/**
 * The wanted messages of an uncompressed chunk, read one by one where that costs less than half of the whole
 * chunk: one topic of twenty costs a twentieth. They are not held against the chunk's CRC, which is of all of it.
 *
 * @returns their records behind each other, in the chunk's order; undefined where the whole chunk has to be read.
 */
export async function pickMessages(
  file: FileBytes,
  place: ChunkPlace,
  selection: Selection,
): Promise<Uint8Array | undefined> {
  const isPickable = place.compression === '' && !place.isBare && place.messageIndexOffsets.size > 0;
  if (!isPickable || !selection.channelIds) return undefined;
  const ranges = await wantedRanges(file, place, selection);
  if (!ranges) return undefined;
  const bytes = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
  if (2 * (bytes + ranges.length * READ_COST_BYTES) > place.length) return undefined;
  const first = place.offset + CHUNK_FIELDS_BYTES;
  const parts = await Promise.all(ranges.map(({ start, end }) => file.read(first + start, end - start)));
  const isWhole = parts.every((part) => part[0] === OPCODE.message);
  return isWhole ? Buffer.concat(parts) : undefined;
}

interface Range {
  readonly start: number;
  end: number;
}

/** Where wanted messages lie in the chunk's records, neighbours together; undefined for an index that is odd. */
async function wantedRanges(
  file: FileBytes,
  place: ChunkPlace,
  { channelIds, startTime = 0n, endTime }: Selection,
): Promise<readonly Range[] | undefined> {
  const starts: number[] = [];
  const wanted = new Set<number>();
  try {
    for (const { channelId, entries } of await readMessageIndexes(file, place)) {
      const view = viewOf(entries);
      for (let at = 0; at + 16 <= entries.byteLength; at += 16) {
        const start = lengthAt(view, at + 8);
        starts.push(start);
        const logTime = view.getBigUint64(at, true);
        const isInTime = logTime >= startTime && (endTime === undefined || logTime < endTime);
        if (isInTime && channelIds?.has(channelId)) wanted.add(start);
      }
    }
  } catch (cause) {
    if (cause instanceof FormatFault) return undefined;
    throw cause;
  }
  starts.sort((a, b) => a - b);
  const ranges: Range[] = [];
  for (const [i, start] of starts.entries()) {
    if (!wanted.has(start)) continue;
    const end = starts[i + 1] ?? place.uncompressedBytes;
    if (end > place.uncompressedBytes || end === start) return undefined;
    const last = ranges.at(-1);
    if (last?.end === start) last.end = end;
    else ranges.push({ start, end });
  }
  return ranges;
}
