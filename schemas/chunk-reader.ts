import { decompress, release } from './chunk-codec.ts';
import { crc32 } from './crc32.ts';
import type { FileBytes } from './file-bytes.ts';
import { decodeChunkHeader, decodeMessageIndex, lengthAt, records, viewOf } from './mcap-decode.ts';
import {
  type ChunkIndex,
  FormatFault,
  MESSAGE_FIELDS_BYTES,
  OPCODE,
  RECORD_PREFIX_BYTES,
} from './mcap-format.ts';

/**
 * Where messages lie: a chunk, or a run of records that stand bare in the file, which reads as an
 * uncompressed chunk without a header.
 */
export interface ChunkPlace extends ChunkIndex {
  readonly isBare: boolean;
  /** Channels with messages in here; undefined when only reading it tells. */
  readonly channelIds: Pick<ReadonlySet<number>, 'has'> | undefined;
}

/** From the first byte of a chunk record to its records, for compression "". */
export const CHUNK_FIELDS_BYTES = RECORD_PREFIX_BYTES + 40;

/** Where a message lies in its chunk's records, and the time that orders it. */
export interface MessagePlaces {
  /** Offsets of message records, ascending in log time, then in the file. */
  readonly offsets: Uint32Array;
  readonly logTimes: BigUint64Array;
}

/**
 * A chunk's records, decompressed and checked against their CRC where there is one.
 *
 * @throws {EpisodeError} when the file has something else there.
 */
export async function loadChunk(file: FileBytes, place: ChunkPlace): Promise<Uint8Array> {
  try {
    const record = await file.read(place.offset, place.length);
    if (place.isBare) return record;
    const records = await unpackChunk(record, place.offset);
    if (records.buffer !== record.buffer) release(record);
    return records;
  } catch (cause) {
    throw cause instanceof FormatFault ? file.error(cause) : cause;
  }
}

/** @throws {FormatFault} naming the chunk's place. */
export async function unpackChunk(record: Uint8Array, offset: number): Promise<Uint8Array> {
  const fault = (why: string, cause?: unknown) =>
    new FormatFault(`the chunk at byte ${offset} is damaged: ${why}`, offset, { cause });
  if (record[0] !== OPCODE.chunk) throw fault(`its record has opcode ${record[0]}`);
  const content = record.subarray(RECORD_PREFIX_BYTES);
  const header = decodeChunkHeader({ opcode: OPCODE.chunk, offset, content });
  const { fieldBytes, compressedBytes, uncompressedBytes, compression, crc } = header;
  if (fieldBytes + compressedBytes > content.byteLength) throw fault('its records reach beyond it');
  const compressed = content.subarray(fieldBytes, fieldBytes + compressedBytes);
  const records = await decompress(compression, compressed, uncompressedBytes).catch((cause: Error) => {
    throw fault(cause.message, cause);
  });
  const found = crc === 0 ? 0 : crc32(records);
  if (found !== crc) throw fault(`its CRC is ${found}, its header says ${crc}`);
  return records;
}

/**
 * The message index records behind a chunk: one read of some kilobytes.
 *
 * @throws {FormatFault} when they do not parse.
 */
export async function readMessageIndexes(file: FileBytes, place: ChunkPlace) {
  const start = place.offset + place.length;
  const block = await file.read(start, place.messageIndexBytes);
  const indexes = [...records(block, start)].filter(({ opcode }) => opcode === OPCODE.messageIndex);
  return indexes.map(decodeMessageIndex);
}

/** Which messages a read wants. */
export interface Selection {
  /** @default all */
  readonly channelIds?: ReadonlySet<number> | undefined;
  /** Inclusive. */
  readonly startTime?: bigint | undefined;
  /** Exclusive. */
  readonly endTime?: bigint | undefined;
}

/**
 * Finds the messages of a chunk in time order; equal times keep their order in the file.
 *
 * @throws {FormatFault} where a record does not fit; `offset` counts from the chunk's first record.
 */
export function placeMessages(chunk: Uint8Array, selection: Selection = {}): MessagePlaces {
  const { channelIds, startTime = 0n, endTime } = selection;
  const view = viewOf(chunk);
  let offsets = new Uint32Array(1024);
  let logTimes = new BigUint64Array(1024);
  let count = 0;
  let isSorted = true;
  let lastTime = 0n;
  for (let at = 0; at < chunk.byteLength; ) {
    const contentStart = at + RECORD_PREFIX_BYTES;
    const end = contentStart <= chunk.byteLength ? contentStart + lengthAt(view, at + 1) : Number.NaN;
    if (!(end <= chunk.byteLength)) throw new FormatFault(`its record at ${at} reaches beyond its end`, at);
    if (chunk[at] === OPCODE.message) {
      if (end - contentStart < MESSAGE_FIELDS_BYTES)
        throw new FormatFault(`its message at ${at} is too short`, at);
      if (channelIds === undefined || channelIds.has(view.getUint16(contentStart, true))) {
        const logTime = view.getBigUint64(contentStart + 6, true);
        if (logTime >= startTime && (endTime === undefined || logTime < endTime)) {
          if (count === offsets.length) {
            offsets = grown(offsets, new Uint32Array(2 * count));
            logTimes = grown(logTimes, new BigUint64Array(2 * count));
          }
          offsets[count] = at;
          logTimes[count++] = logTime;
          if (logTime < lastTime) isSorted = false;
          lastTime = logTime;
        }
      }
    }
    at = end;
  }
  const places = { offsets: offsets.subarray(0, count), logTimes: logTimes.subarray(0, count) };
  return isSorted ? places : sorted(places);
}

function grown<A extends Uint32Array | BigUint64Array>(small: A, large: A): A {
  (large as Uint32Array).set(small as Uint32Array);
  return large;
}

function sorted({ offsets, logTimes }: MessagePlaces): MessagePlaces {
  const order = Array.from(offsets, (_, i) => i);
  order.sort((a, b) => compareTimes(logTimes[a]!, logTimes[b]!) || a - b);
  return {
    offsets: Uint32Array.from(order, (i) => offsets[i]!),
    logTimes: BigUint64Array.from(order, (i) => logTimes[i]!),
  };
}

export function compareTimes(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
