import { rm } from 'node:fs/promises';
import { MessageIndexes } from './chunk-builder.ts';
import { compress, compressionOf, type StoredRecords } from './chunk-codec.ts';
import { crc32 } from './crc32.ts';
import { LEDGER_RECORD, RECOVERY_RECORD } from './episode.ts';
import {
  readHeader,
  readSummary,
  type Summary,
  summaryContent,
  summaryDefinitions,
} from './episode-index.ts';
import { RecordError } from './errors.ts';
import { FileBytes } from './file-bytes.ts';
import { decodeLedger, encodeLedger, type Ledger, type Loss } from './ledger.ts';
import type { ChunkToPlace } from './mcap-assembler.ts';
import { type RawRecord, records, viewOf } from './mcap-decode.ts';
import { FormatFault, MESSAGE_FIELDS_BYTES, OPCODE, RECORD_PREFIX_BYTES } from './mcap-format.ts';
import { PartFile } from './part-file.ts';
import { RecoveredChannels } from './recovery-channels.ts';
import { type ExpectedContent, LossAccount } from './recovery-losses.ts';
import { type Damage, type Piece, pieces } from './recovery-scan.ts';

/** What recovery found and what is gone. */
export interface RecoveryReport {
  /** `nothing`: no message was found, and no file was written. */
  readonly result: 'lossless' | 'lossy' | 'nothing';
  readonly messageCount: number;
  /** Whether the recording had been ended; else what was in open chunks is gone, and nobody counted it. */
  readonly isClosed: boolean;
  /** Byte ranges of the input that could not be read. */
  readonly damages: readonly Damage[];
  /** What is missing for that, cause `damaged`; the new file's ledger holds them too. */
  readonly losses: readonly Loss[];
}

/**
 * Makes a valid episode of whatever is readable in a file: every chunk that matches its CRC is copied as it
 * is, a chunk that the end cut off gives its beginning, and the index is built anew. The input is only read.
 *
 * @param target the episode to write; must not exist.
 * @throws {UsageError} when the input cannot be opened.
 * @throws {RecordError} when the target cannot be written.
 */
export async function recoverEpisode(input: string, target: string): Promise<RecoveryReport> {
  const file = await FileBytes.open(input);
  const part = `${target}.recovering`;
  await rm(part, { force: true }); // left by a recovery that was killed
  try {
    const out = await PartFile.create(target, { part }).catch((cause: Error) => {
      throw new RecordError(`Cannot write "${target}": ${cause.message}. Give another --output.`, { cause });
    });
    return await new Recovery(file, out).run();
  } finally {
    await file.close();
  }
}

/** Checks every checksum of a file and says what it holds and misses; writes nothing. */
export async function examineEpisode(input: string): Promise<RecoveryReport> {
  const file = await FileBytes.open(input);
  try {
    return await new Recovery(file, undefined).run();
  } finally {
    await file.close();
  }
}

class Recovery {
  readonly #file: FileBytes;
  readonly #out: PartFile | undefined;
  readonly #channels = new RecoveredChannels();
  readonly #account = new LossAccount();
  readonly #damages: Damage[] = [];
  /** What the input's own summary says, if it has one that is sound. */
  #expected: ExpectedContent | undefined;
  #ledger: Ledger | undefined;
  #isClosed = false;

  constructor(file: FileBytes, out: PartFile | undefined) {
    this.#file = file;
    this.#out = out;
  }

  async run(): Promise<RecoveryReport> {
    try {
      const { profile } = await readHeader(this.#file).catch(() => ({ profile: 'ros2' }));
      await this.#out?.append((assembler) => [assembler.begin(profile, 'kinescribe')]);
      const summary = await ifSound(() => readSummary(this.#file));
      // A summary outlives the first chunk, where other writers have the only other copy of the definitions.
      const definitions = summary?.isVerified && (await ifSound(() => summaryDefinitions(summary)));
      for (const record of definitions || []) this.#channels.take(record, true);
      this.#expected = summary && (await ifSound(() => expectedContent(summary)));
      for await (const piece of pieces(this.#file)) await this.#take(piece);
      const report = this.#report();
      if (report.result === 'nothing') await this.#out?.discard();
      else await this.#complete(report);
      return report;
    } catch (error) {
      await this.#out?.discard();
      throw error;
    }
  }

  async #take(piece: Piece): Promise<void> {
    switch (piece.kind) {
      case 'definition':
        this.#channels.take(piece.record, false);
        return;
      case 'chunk':
        await this.#takeChunk(piece);
        return;
      case 'bare':
        await this.#takeBare(piece);
        return;
      case 'attachment':
        await this.#takeAttachment(piece);
        return;
      case 'metadata':
        if (piece.name === LEDGER_RECORD) this.#ledger = ledgerOf(piece.fields) ?? this.#ledger;
        await this.#out?.append((assembler) => [assembler.metadata(piece.name, piece.fields)]);
        return;
      case 'damage':
        this.#damaged(piece.damage, piece.isOneChunk);
        return;
      case 'lost':
        this.#account.lost(this.#channels.topic(piece.channelId), piece.logTimes);
        return;
      case 'end':
        this.#isClosed = true;
        if (!this.#out) await this.#checkDataSection(piece);
        return;
      default:
        throw piece satisfies never;
    }
  }

  /** A chunk under a CRC goes over as it is, unless it has messages that nobody could read. */
  async #takeChunk({ place, header, records: block, compressed }: Piece & { kind: 'chunk' }): Promise<void> {
    const { found, isWhole } = wholeRecords(block);
    const isForeign = found.some((record) => isDefinition(record) && !this.#channels.take(record, true));
    const messages = found.filter(({ opcode }) => opcode === OPCODE.message);
    const [kept, lost] = partition(
      messages,
      (record) => !isForeign && this.#channels.has(channelIdOf(record)),
    );
    if (isForeign) {
      this.#damaged({ ...place, reason: 'it defines a channel otherwise than a chunk before it' }, true);
    }
    if (!isWhole) this.#damaged({ ...place, reason: 'its records do not fit together' }, false);
    this.#lose(lost);
    if (lost.length === 0 && isWhole)
      await this.#copy(block, kept, { compression: header.compression, parts: [compressed] });
    else await this.#rebuild(block, kept, header.compression);
  }

  /** Nothing vouches for bare records but that they fit together. */
  async #takeBare({ records: block, compression }: Piece & { kind: 'bare' }): Promise<void> {
    const { found } = wholeRecords(block);
    for (const record of found) if (isDefinition(record)) this.#channels.take(record, false);
    const messages = found.filter(({ opcode }) => opcode === OPCODE.message);
    const [kept, lost] = partition(messages, (record) => this.#channels.has(channelIdOf(record)));
    this.#lose(lost);
    await this.#rebuild(block, kept, compression);
  }

  async #copy(block: Uint8Array, kept: readonly RawRecord[], stored: StoredRecords): Promise<void> {
    const indexes = new MessageIndexes();
    for (const record of kept) indexes.add(channelIdOf(record), logTimeOf(record), record.offset);
    await this.#place(indexes.describe(block), stored);
  }

  async #rebuild(block: Uint8Array, kept: readonly RawRecord[], compression: string): Promise<void> {
    if (kept.length === 0) return;
    const indexes = new MessageIndexes();
    const parts: Uint8Array[] = [];
    let at = 0;
    for (const record of kept) {
      indexes.add(channelIdOf(record), logTimeOf(record), at);
      const end = record.offset + RECORD_PREFIX_BYTES + record.content.byteLength;
      parts.push(block.subarray(record.offset, end));
      at += end - record.offset;
    }
    const chunk = Buffer.concat(parts);
    await this.#place(indexes.describe(chunk), await compress(compressionOf(compression), chunk, 1));
  }

  async #place(chunk: ChunkToPlace, stored: StoredRecords): Promise<void> {
    if (chunk.shares.size === 0) return;
    this.#account.kept(chunk.shares.entries().map(([id, share]) => [this.#channels.topic(id), share]));
    await this.#define(chunk.shares.keys());
    await this.#out?.appendChunk(chunk, Promise.resolve(stored));
  }

  async #takeAttachment({ place, header, dataOffset }: Piece & { kind: 'attachment' }): Promise<void> {
    const { dataBytes } = header;
    const fieldsOffset = place.startOffset + RECORD_PREFIX_BYTES;
    const trailer = await this.#file.read(dataOffset + dataBytes, 4);
    const stored = viewOf(trailer).getUint32(0, true);
    let crc = 0;
    for await (const block of this.#blocks(fieldsOffset, dataOffset + dataBytes)) crc = crc32(block, crc);
    if (stored !== 0 && stored !== crc) {
      this.#damages.push({ ...place, reason: `the CRC of attachment "${header.name}" is wrong` });
      return;
    }
    const data = this.#blocks(dataOffset, dataOffset + dataBytes);
    await this.#out?.appendBlocks((assembler) => assembler.attachment(header, data));
  }

  /** The only checksum over message indexes and metadata; recovery has no use for it. */
  async #checkDataSection({ offset, crc: stored }: Piece & { kind: 'end' }): Promise<void> {
    if (stored === 0 || this.#damages.length > 0) return;
    let crc = 0;
    for await (const block of this.#blocks(0, offset)) crc = crc32(block, crc);
    if (stored === crc) return;
    const reason = 'the CRC of the data section is wrong, though all chunks and attachments are sound';
    this.#damages.push({ startOffset: 0, endOffset: offset, reason });
  }

  async *#blocks(start: number, end: number): AsyncGenerator<Uint8Array> {
    for (let at = start; at < end; at += BLOCK_BYTES) {
      yield await this.#file.read(at, Math.min(BLOCK_BYTES, end - at));
    }
  }

  /** Writes the definitions of channels before their first message. */
  async #define(channelIds?: Iterable<number>): Promise<void> {
    const { schemas, channels } = this.#channels.toWrite(channelIds);
    if (schemas.length + channels.length === 0) return;
    await this.#out?.append((assembler) => [
      ...schemas.map((schema) => assembler.schema(schema)),
      ...channels.map((channel) => assembler.channel(channel)),
    ]);
  }

  #damaged(damage: Damage, isOneChunk: boolean): void {
    this.#damages.push(damage);
    this.#account.damaged(isOneChunk);
  }

  #lose(messages: readonly RawRecord[]): void {
    for (const [id, lost] of Map.groupBy(messages, channelIdOf)) {
      this.#account.lost(this.#channels.topic(id), lost.map(logTimeOf));
    }
  }

  #report(): RecoveryReport {
    for (const topic of this.#channels.topics) this.#account.known(topic);
    const isClosed = this.#isClosed || this.#expected !== undefined;
    const losses = this.#account.losses(isClosed, this.#expected);
    const { messageCount } = this.#account;
    const isLossless = isClosed && losses.length === 0 && this.#damages.length === 0;
    const hasContent = messageCount > 0 || isLossless;
    return {
      result: hasContent ? (isLossless ? 'lossless' : 'lossy') : 'nothing',
      messageCount,
      isClosed,
      damages: this.#damages,
      losses,
    };
  }

  async #complete({ result, isClosed, damages, losses }: RecoveryReport): Promise<void> {
    if (!this.#out) return;
    await this.#define();
    const record = new Map([
      ['result', result],
      ['closed', String(isClosed)],
      ['damages', JSON.stringify(damages)],
    ]);
    await this.#out.append((assembler) => [assembler.metadata(RECOVERY_RECORD, record)]);
    if (losses.length > 0) {
      const ledger = encodeLedger(this.#account.ledger(this.#ledger, losses));
      await this.#out.append((assembler) => [
        assembler.metadata(LEDGER_RECORD, new Map([['ledger', ledger]])),
      ]);
    }
    await this.#out.complete();
  }
}

const BLOCK_BYTES = 1 << 20;

/** All records up to the first that does not fit. */
function wholeRecords(block: Uint8Array): { found: readonly RawRecord[]; isWhole: boolean } {
  const found: RawRecord[] = [];
  try {
    for (const record of records(block)) {
      if (record.opcode === OPCODE.message && record.content.byteLength < MESSAGE_FIELDS_BYTES) {
        return { found, isWhole: false };
      }
      found.push(record);
    }
    return { found, isWhole: true };
  } catch (fault) {
    if (fault instanceof FormatFault) return { found, isWhole: false };
    throw fault;
  }
}

function expectedContent(summary: Summary): ExpectedContent | undefined {
  const content = summaryContent(summary);
  if (!content) return undefined;
  const counts = new Map<string, number>();
  for (const [id, { topic }] of content.channels) {
    counts.set(topic, (counts.get(topic) ?? 0) + (content.messageCounts.get(id) ?? 0));
  }
  return { counts, endTime: content.times ? content.times.last + 1n : 0n };
}

function isDefinition({ opcode }: RawRecord): boolean {
  return opcode === OPCODE.schema || opcode === OPCODE.channel;
}

function channelIdOf({ content }: RawRecord): number {
  return viewOf(content).getUint16(0, true);
}

function logTimeOf({ content }: RawRecord): bigint {
  return viewOf(content).getBigUint64(6, true);
}

function partition<T>(values: readonly T[], isFirst: (value: T) => boolean): [T[], T[]] {
  const [first, second]: [T[], T[]] = [[], []];
  for (const value of values) (isFirst(value) ? first : second).push(value);
  return [first, second];
}

function ledgerOf(fields: ReadonlyMap<string, string>): Ledger | undefined {
  try {
    return decodeLedger(fields.get('ledger') ?? '');
  } catch {
    return undefined; // the damage is elsewhere or it is no ledger of ours; the record itself is copied
  }
}

/** What reading a part of the file gives; undefined where that part is damaged. */
async function ifSound<T>(read: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (fault) {
    if (fault instanceof FormatFault) return undefined;
    throw fault;
  }
}
