import type { ChannelShare } from './chunk-builder.ts';
import { RecordEncoder } from './mcap-encode.ts';
import type { ChunkIndex } from './mcap-format.ts';

/** A chunk that may still be taken back. */
export interface LoggedChunk {
  /** Where it begins in the file, and where its message indexes end. */
  readonly startOffset: number;
  readonly endOffset: number;
  readonly shares: ReadonlyMap<number, ChannelShare>;
}

interface RecentChunk extends LoggedChunk {
  /** What the log was before this chunk. */
  readonly encodedBytes: number;
  readonly times: LoggedTimes | undefined;
}

/** Log times of the earliest and the latest message, both inclusive. */
export interface LoggedTimes {
  readonly startTime: bigint;
  readonly endTime: bigint;
}

/** Enough to make room for the summary of a file whose disk is full, and little enough to forget about. */
const MAX_RECENT = 512;

/**
 * The chunks of a file that is being written. All are kept as the bytes that the summary will have, some 100
 * each; only the last ones are known in full, so that a recording of a day needs no more memory than one of a
 * minute.
 */
export class ChunkLog {
  readonly #encoded = new RecordEncoder();
  readonly #recent: RecentChunk[] = [];
  readonly #messageCounts = new Map<number, number>();
  #count = 0;
  #times: LoggedTimes | undefined;

  get count(): number {
    return this.#count;
  }

  /** Messages per channel id. */
  get messageCounts(): ReadonlyMap<number, number> {
    return this.#messageCounts;
  }

  /** Undefined without messages. */
  get times(): LoggedTimes | undefined {
    return this.#times;
  }

  /** The chunk index records; a view that is valid until the next call. */
  get records(): Uint8Array {
    return this.#encoded.bytes;
  }

  /** The last chunk, unless more were taken back than are kept. */
  get last(): LoggedChunk | undefined {
    return this.#recent.at(-1);
  }

  add(chunk: ChunkIndex, shares: ReadonlyMap<number, ChannelShare>): void {
    const { offset, length, messageIndexBytes, startTime, endTime } = chunk;
    const times = this.#times;
    this.#recent.push({
      startOffset: offset,
      endOffset: offset + length + messageIndexBytes,
      shares,
      encodedBytes: this.#encoded.size,
      times,
    });
    if (this.#recent.length > MAX_RECENT) this.#recent.shift();
    this.#encoded.chunkIndex(chunk);
    this.#count++;
    this.#addCounts(shares, 1);
    if (shares.size === 0) return;
    this.#times = {
      startTime: times && times.startTime < startTime ? times.startTime : startTime,
      endTime: times && times.endTime > endTime ? times.endTime : endTime,
    };
  }

  /** Forgets the last chunk. */
  takeBack(): LoggedChunk | undefined {
    const chunk = this.#recent.pop();
    if (!chunk) return undefined;
    this.#encoded.truncate(chunk.encodedBytes);
    this.#count--;
    this.#addCounts(chunk.shares, -1);
    this.#times = chunk.times;
    return chunk;
  }

  #addCounts(shares: ReadonlyMap<number, ChannelShare>, sign: 1 | -1): void {
    for (const [id, { messageCount }] of shares) {
      const count = (this.#messageCounts.get(id) ?? 0) + sign * messageCount;
      if (count > 0) this.#messageCounts.set(id, count);
      else this.#messageCounts.delete(id);
    }
  }
}
