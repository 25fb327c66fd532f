import {
  CHUNK_FIELDS_BYTES,
  type ChunkPlace,
  loadChunk,
  placeMessages,
  readMessageIndexes,
} from './chunk-reader.ts';
import type { FileBytes } from './file-bytes.ts';
import { lengthAt, viewOf } from './mcap-decode.ts';
import { FormatFault, MESSAGE_FIELDS_BYTES, OPCODE, RECORD_PREFIX_BYTES } from './mcap-format.ts';

/** A message record, found without reading what lies around it. */
export interface FoundMessage {
  readonly place: ChunkPlace;
  /** Of its record in the chunk's records. */
  readonly offset: number;
  readonly logTime: bigint;
}

/**
 * Answers "the last message at or before an instant" from message indexes: it reads a few kilobytes where
 * reading backwards would decompress every chunk on the way. Made for one question about many channels.
 */
export class LatestBefore {
  readonly #file: FileBytes;
  /** By end time, the latest first. */
  readonly #places: readonly ChunkPlace[];
  readonly #time: bigint;
  readonly #entries = new Map<ChunkPlace, Promise<ReadonlyMap<number, Uint8Array>>>();
  readonly #chunks = new Map<ChunkPlace, Promise<Uint8Array>>();

  constructor(file: FileBytes, placesByEndTime: readonly ChunkPlace[], time: bigint) {
    this.#file = file;
    this.#places = placesByEndTime;
    this.#time = time;
  }

  /** Of several messages at the same instant the last one in the file. */
  async find(channelIds: ReadonlySet<number>): Promise<FoundMessage | undefined> {
    let best: FoundMessage | undefined;
    for (const place of this.#places) {
      if (best && place.endTime < best.logTime) break;
      if (place.startTime > this.#time) continue;
      for (const channelId of channelIds) {
        if (place.channelIds && !place.channelIds.has(channelId)) continue;
        const found = await this.#lastIn(place, channelId);
        if (found && (!best || isLater(found, best))) best = found;
      }
    }
    return best;
  }

  /** The bytes of the message's record. */
  async record({ place, offset }: FoundMessage): Promise<Uint8Array> {
    try {
      if (place.compression !== '' || this.#chunks.has(place)) {
        return messageRecord(await this.#chunk(place), offset, place);
      }
      const start = place.offset + (place.isBare ? 0 : CHUNK_FIELDS_BYTES) + offset;
      const prefix = await this.#file.read(start, RECORD_PREFIX_BYTES);
      const bytes = Math.min(RECORD_PREFIX_BYTES + lengthAt(viewOf(prefix), 1), place.length);
      return messageRecord(await this.#file.read(start, bytes), 0, place);
    } catch (cause) {
      throw cause instanceof FormatFault ? this.#file.error(cause) : cause;
    }
  }

  async #lastIn(place: ChunkPlace, channelId: number): Promise<FoundMessage | undefined> {
    if (place.messageIndexOffsets.size === 0) {
      const selection = { channelIds: new Set([channelId]), endTime: this.#time + 1n };
      const { offsets, logTimes } = placeMessages(await this.#chunk(place), selection);
      const last = offsets.length - 1;
      return last < 0 ? undefined : { place, offset: offsets[last]!, logTime: logTimes[last]! };
    }
    const entries = (await this.#entriesOf(place)).get(channelId);
    if (!entries) return undefined;
    const view = viewOf(entries);
    let last: FoundMessage | undefined;
    for (let at = 0; at + 16 <= entries.byteLength; at += 16) {
      const logTime = view.getBigUint64(at, true);
      if (logTime > this.#time || (last && logTime < last.logTime)) continue;
      const found = { place, offset: lengthAt(view, at + 8), logTime };
      if (!last || isLater(found, last)) last = found;
    }
    return last;
  }

  #entriesOf(place: ChunkPlace): Promise<ReadonlyMap<number, Uint8Array>> {
    return cached(this.#entries, place, async () => {
      try {
        const indexes = await readMessageIndexes(this.#file, place);
        return new Map(indexes.map(({ channelId, entries }) => [channelId, entries] as const));
      } catch (cause) {
        throw cause instanceof FormatFault ? this.#file.error(cause) : cause;
      }
    });
  }

  #chunk(place: ChunkPlace): Promise<Uint8Array> {
    return cached(this.#chunks, place, () => loadChunk(this.#file, place));
  }
}

function messageRecord(block: Uint8Array, at: number, place: ChunkPlace): Uint8Array {
  const end = at + RECORD_PREFIX_BYTES <= block.byteLength ? at + prefixed(block, at) : Number.NaN;
  if (block[at] === OPCODE.message && end <= block.byteLength) return block.subarray(at, end);
  throw new FormatFault(
    `the message index of the chunk at byte ${place.offset} points to a place without a message`,
    place.offset,
  );
}

/** Bytes of a record with its prefix; no message is shorter than its fields. */
function prefixed(block: Uint8Array, at: number): number {
  return RECORD_PREFIX_BYTES + Math.max(lengthAt(viewOf(block), at + 1), MESSAGE_FIELDS_BYTES);
}

function isLater(a: FoundMessage, b: FoundMessage): boolean {
  if (a.logTime !== b.logTime) return a.logTime > b.logTime;
  return a.place === b.place ? a.offset > b.offset : a.place.offset > b.place.offset;
}

function cached<K, V>(cache: Map<K, Promise<V>>, key: K, make: () => Promise<V>): Promise<V> {
  const value = cache.get(key) ?? make();
  cache.set(key, value);
  return value;
}
