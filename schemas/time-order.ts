import { pickMessages } from './chunk-pick.ts';
import {
  type ChunkPlace,
  compareTimes,
  loadChunk,
  type MessagePlaces,
  placeMessages,
  type Selection,
} from './chunk-reader.ts';
import type { FileBytes } from './file-bytes.ts';
import { FormatFault } from './mcap-format.ts';

/** Consecutive messages of one chunk, in the order of reading. */
export interface MessageRun {
  /** The chunk's records. */
  readonly chunk: Uint8Array;
  readonly places: MessagePlaces;
  /** Half-open range of indices into `places`; read from the end when reading backwards. */
  readonly start: number;
  readonly end: number;
}

/** Chunks that are read and decompressed ahead of the one in use. */
const CHUNKS_AHEAD = 4;
/** Chunks beyond it are dropped and read again when their time comes; well-made files never get there. */
const MAX_LOADED_BYTES = 1 << 28;

/**
 * Merges chunks whose times overlap into one sequence by log time; equal times come in the order of the
 * file, or in the reverse of it when reading backwards. Holds only chunks that overlap the present instant.
 */
export async function* timeOrder(
  file: FileBytes,
  places: readonly ChunkPlace[],
  selection: Selection & {
    readonly isReverse: boolean;
    /** Decompressed bytes kept at once. @default 256 MiB */
    readonly maxLoadedBytes?: number;
  },
): AsyncGenerator<MessageRun> {
  const { isReverse, maxLoadedBytes = MAX_LOADED_BYTES } = selection;
  const loader = new ChunkLoader(file, selection);
  const isFirst = (a: Position, b: Position) =>
    (isReverse ? comparePositions(b, a) : comparePositions(a, b)) < 0;
  const waiting = places
    .filter((place) => isWanted(place, selection))
    .map((place) => ({ place, first: firstPosition(place, isReverse) }))
    .sort((a, b) => (isFirst(a.first, b.first) ? -1 : 1));
  /** Chunks that are under way, the one with the next message last. */
  const open: OpenChunk[] = [];
  const insert = (chunk: OpenChunk) => {
    let at = open.length;
    while (at > 0 && isFirst(open[at - 1]!.position, chunk.position)) at--;
    open.splice(at, 0, chunk);
  };
  /** Drops the chunks whose next message is the farthest away. */
  const makeRoom = () => {
    for (const chunk of open) {
      if (loader.loadedBytes <= maxLoadedBytes) return;
      chunk.unload(loader);
    }
  };

  for (let next = 0; ; ) {
    for (;;) {
      const candidate = waiting[next];
      const current = open.at(-1);
      if (!candidate || (current && isFirst(current.position, candidate.first))) break;
      const chunk = new OpenChunk(candidate.place, isReverse);
      next++;
      if (await chunk.load(loader)) insert(chunk);
      else chunk.unload(loader);
      for (const { place } of waiting.slice(next, next + CHUNKS_AHEAD)) loader.prefetch(place);
      makeRoom();
    }
    const current = open.pop();
    if (!current) return;
    const rival = open.at(-1)?.position;
    const coming = waiting[next]?.first;
    const limit = rival && coming ? (isFirst(rival, coming) ? rival : coming) : (rival ?? coming);
    if (!current.isLoaded) {
      await current.load(loader);
      makeRoom();
    }
    yield current.advance(limit && ((position) => isFirst(position, limit)));
    if (current.isDone) current.unload(loader);
    else insert(current);
  }
}

function isWanted({ startTime, endTime, channelIds }: ChunkPlace, selection: Selection): boolean {
  if (selection.startTime !== undefined && endTime < selection.startTime) return false;
  if (selection.endTime !== undefined && startTime >= selection.endTime) return false;
  const wanted = selection.channelIds;
  return !wanted || !channelIds || wanted.values().some((id) => channelIds.has(id));
}

/** Where a message comes in the sequence: by time, then by its place in the file. */
interface Position {
  readonly logTime: bigint;
  readonly chunkOffset: number;
  readonly offset: number;
}

function comparePositions(a: Position, b: Position): number {
  return compareTimes(a.logTime, b.logTime) || a.chunkOffset - b.chunkOffset || a.offset - b.offset;
}

/** Before, or after, every message of the chunk. */
function firstPosition({ startTime, endTime, offset }: ChunkPlace, isReverse: boolean): Position {
  return isReverse
    ? { logTime: endTime, chunkOffset: offset, offset: Number.POSITIVE_INFINITY }
    : { logTime: startTime, chunkOffset: offset, offset: -1 };
}

/** A chunk of which some messages have been given out. */
class OpenChunk {
  readonly #place: ChunkPlace;
  readonly #isReverse: boolean;
  #loaded: { readonly chunk: Uint8Array; readonly places: MessagePlaces } | undefined;
  #given = 0;
  #position: Position;

  constructor(place: ChunkPlace, isReverse: boolean) {
    this.#place = place;
    this.#isReverse = isReverse;
    this.#position = firstPosition(place, isReverse);
  }

  /** Of the next message. */
  get position(): Position {
    return this.#position;
  }

  get isLoaded(): boolean {
    return this.#loaded !== undefined;
  }

  get isDone(): boolean {
    return this.#given === this.#loaded?.places.offsets.length;
  }

  /** @returns whether there is a message to give out. */
  async load(loader: ChunkLoader): Promise<boolean> {
    this.#loaded = await loader.load(this.#place);
    this.#move();
    return !this.isDone;
  }

  /** Frees the memory; the place among the messages is kept. */
  unload(loader: ChunkLoader): void {
    if (this.#loaded) loader.release(this.#loaded.chunk);
    this.#loaded = undefined;
  }

  /** Gives out the next message and all that follow while `isBefore` holds for them. */
  advance(isBefore: ((position: Position) => boolean) | undefined): MessageRun {
    const { chunk, places } = this.#loaded!;
    const count = places.offsets.length;
    const from = this.#given;
    // Most chunks end before the next one begins: look at their last message first.
    if (!isBefore || isBefore(this.#positionOf(count - 1))) this.#given = count;
    else {
      do this.#given++;
      while (this.#given < count && isBefore(this.#positionOf(this.#given)));
    }
    this.#move();
    return this.#isReverse
      ? { chunk, places, start: count - this.#given, end: count - from }
      : { chunk, places, start: from, end: this.#given };
  }

  #move(): void {
    if (!this.isDone) this.#position = this.#positionOf(this.#given);
  }

  /** Of the n-th message in the order of reading. */
  #positionOf(n: number): Position {
    const { offsets, logTimes } = this.#loaded!.places;
    const i = this.#isReverse ? offsets.length - 1 - n : n;
    return { logTime: logTimes[i]!, chunkOffset: this.#place.offset, offset: offsets[i]! };
  }
}

/** Reads chunks, some of them before they are asked for. */
class ChunkLoader {
  readonly #file: FileBytes;
  readonly #selection: Selection;
  readonly #ahead = new Map<ChunkPlace, Promise<Uint8Array>>();
  loadedBytes = 0;

  constructor(file: FileBytes, selection: Selection) {
    this.#file = file;
    this.#selection = selection;
  }

  prefetch(place: ChunkPlace): void {
    if (this.#ahead.has(place)) return;
    const chunk = this.#read(place);
    chunk.catch(() => {}); // told when the chunk's turn comes
    this.#ahead.set(place, chunk);
  }

  async load(place: ChunkPlace): Promise<{ chunk: Uint8Array; places: MessagePlaces }> {
    const chunk = await (this.#ahead.get(place) ?? this.#read(place));
    this.#ahead.delete(place);
    this.loadedBytes += chunk.byteLength;
    try {
      return { chunk, places: placeMessages(chunk, this.#selection) };
    } catch (cause) {
      if (!(cause instanceof FormatFault)) throw cause;
      const why = `the chunk at byte ${place.offset} is damaged: ${cause.message}`;
      throw this.#file.error(new FormatFault(why, place.offset, { cause }));
    }
  }

  release(chunk: Uint8Array): void {
    this.loadedBytes -= chunk.byteLength;
  }

  async #read(place: ChunkPlace): Promise<Uint8Array> {
    return (await pickMessages(this.#file, place, this.#selection)) ?? (await loadChunk(this.#file, place));
  }
}
