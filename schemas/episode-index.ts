import { type ChunkPlace, compareTimes, placeMessages, unpackChunk } from './chunk-reader.ts';
import { crc32 } from './crc32.ts';
import type { FileBytes } from './file-bytes.ts';
import {
  decodeAttachmentHeader,
  decodeAttachmentIndex,
  decodeChannel,
  decodeChunkHeader,
  decodeChunkIndex,
  decodeFooter,
  decodeHeader,
  decodeMetadata,
  decodeMetadataIndex,
  decodeSchema,
  decodeStatistics,
  type RawRecord,
  records,
  viewOf,
} from './mcap-decode.ts';
import {
  type AttachmentIndex,
  type ChannelRecord,
  FOOTER_BYTES,
  type Footer,
  FormatFault,
  MAGIC,
  type MetadataIndex,
  OPCODE,
  RECORD_PREFIX_BYTES,
  type SchemaRecord,
  type Statistics,
} from './mcap-format.ts';
import { endOfRecord, fileRecords } from './mcap-scan.ts';
import type { Channel } from './message.ts';

/** What lies where in an MCAP file. */
export interface EpisodeIndex {
  readonly profile: string;
  readonly library: string;
  /** Whether the file's own summary said all this; else the whole file was read for it. */
  readonly isIndexed: boolean;
  readonly channels: ReadonlyMap<number, Channel>;
  /** In the order of the file. */
  readonly chunks: readonly ChunkPlace[];
  readonly attachments: readonly AttachmentIndex[];
  readonly metadata: readonly MetadataIndex[];
  readonly messageCounts: ReadonlyMap<number, number>;
  /** Log times of the earliest and the latest message, both inclusive; undefined without messages. */
  readonly times: { readonly first: bigint; readonly last: bigint } | undefined;
}

/**
 * Reads the summary, or the whole file where the summary does not tell all.
 *
 * @throws {FormatFault} when the file is no MCAP file, is damaged or was never closed.
 */
export async function readIndex(file: FileBytes): Promise<EpisodeIndex> {
  const header = await readHeader(file);
  const summary = await readSummary(file);
  const content = summary && summaryContent(summary);
  if (content) return { ...header, ...content, isIndexed: true };
  return { ...header, ...(await scan(file, file.size - FOOTER_BYTES)), isIndexed: false };
}

/** The summary section of a file, with the footer. */
export interface Summary {
  readonly block: Uint8Array;
  /** Of the block in the file. */
  readonly offset: number;
  /** Whether a CRC vouches for it. */
  readonly isVerified: boolean;
}

/**
 * Undefined when there is none.
 *
 * @throws {FormatFault} when the file was never closed, or the summary does not match its CRC.
 */
export async function readSummary(file: FileBytes): Promise<Summary | undefined> {
  const { summaryStart, summaryCrc } = await readFooter(file);
  if (summaryStart === 0) return undefined;
  const block = await file.read(summaryStart, file.size - MAGIC.byteLength - summaryStart);
  if (summaryCrc !== 0 && crc32(block.subarray(0, -4)) !== summaryCrc) {
    throw new FormatFault(`the CRC of the summary at byte ${summaryStart} is wrong`, summaryStart);
  }
  return { block, offset: summaryStart, isVerified: summaryCrc !== 0 };
}

/** The schemas and channels that a summary repeats. @throws {FormatFault} when it is damaged. */
export function summaryDefinitions({ block, offset }: Summary): readonly RawRecord[] {
  return [...records(block, offset)].filter(
    ({ opcode }) => opcode === OPCODE.schema || opcode === OPCODE.channel,
  );
}

/** @throws {FormatFault} when the file does not begin as an MCAP file. */
export async function readHeader(file: FileBytes): Promise<{ profile: string; library: string }> {
  const magic = await file.read(0, Math.min(MAGIC.byteLength, file.size));
  if (Buffer.compare(magic, MAGIC) !== 0) {
    throw new FormatFault(
      `it does not begin with the magic bytes, found ${Buffer.from(magic).toString('hex')}`,
      0,
    );
  }
  for await (const record of fileRecords(file, MAGIC.byteLength, file.size)) {
    if (record.opcode === OPCODE.header) return decodeHeader(record);
    break;
  }
  throw new FormatFault(`the header is missing at byte ${MAGIC.byteLength}`, MAGIC.byteLength);
}

/** @throws {FormatFault} when the file does not end as a complete MCAP file. */
async function readFooter(file: FileBytes): Promise<Footer> {
  const start = file.size - FOOTER_BYTES;
  if (start >= MAGIC.byteLength) {
    const tail = await file.read(start, FOOTER_BYTES);
    const isFooter = tail[0] === OPCODE.footer && viewOf(tail).getBigUint64(1, true) === 20n;
    if (isFooter && Buffer.compare(tail.subarray(-MAGIC.byteLength), MAGIC) === 0) {
      const footer = decodeFooter({
        opcode: OPCODE.footer,
        offset: start,
        content: tail.subarray(RECORD_PREFIX_BYTES),
      });
      if (footer.summaryStart <= start) return footer;
    }
  }
  throw new FormatFault(
    `the footer is missing: it ends at byte ${file.size} without one, as after an interrupted recording`,
    file.size,
  );
}

/** An index without what only the header tells. */
export type FileContent = Omit<EpisodeIndex, 'profile' | 'library' | 'isIndexed'>;

/**
 * What a summary says of its file; undefined when it leaves out something that the file has.
 *
 * @throws {FormatFault} when it is damaged.
 */
export function summaryContent({ block, offset }: Summary): FileContent | undefined {
  const definitions = new Definitions();
  const chunks: ChunkPlace[] = [];
  const attachments: AttachmentIndex[] = [];
  const metadata: MetadataIndex[] = [];
  let statistics: Statistics | undefined;
  for (const record of records(block, offset)) {
    definitions.take(record);
    switch (record.opcode) {
      case OPCODE.statistics:
        statistics = decodeStatistics(record);
        break;
      case OPCODE.chunkIndex: {
        const chunk = decodeChunkIndex(record);
        const hasIndex = chunk.messageIndexOffsets.size > 0;
        chunks.push({
          ...chunk,
          isBare: false,
          channelIds: hasIndex ? chunk.messageIndexOffsets : undefined,
        });
        break;
      }
      case OPCODE.attachmentIndex:
        attachments.push(decodeAttachmentIndex(record));
        break;
      case OPCODE.metadataIndex:
        metadata.push(decodeMetadataIndex(record));
        break;
    }
  }
  if (!statistics) return undefined;
  const { messageCount, channelMessageCounts: counts, startTime, endTime } = statistics;
  const isComplete =
    definitions.channels.size >= statistics.channelCount &&
    definitions.schemas.size >= statistics.schemaCount &&
    chunks.length === statistics.chunkCount &&
    (chunks.length > 0 || messageCount === 0) &&
    attachments.length === statistics.attachmentCount &&
    metadata.length === statistics.metadataCount &&
    counts.values().reduce((sum, count) => sum + count, 0) === messageCount;
  if (!isComplete) return undefined;
  return {
    channels: definitions.resolve(),
    chunks: chunks.sort((a, b) => a.offset - b.offset),
    attachments,
    metadata,
    messageCounts: counts,
    times: messageCount > 0 ? { first: startTime, last: endTime } : undefined,
  };
}

/** Schemas and channels as they come, by id. */
export class Definitions {
  readonly schemas = new Map<number, SchemaRecord>();
  readonly channels = new Map<number, ChannelRecord>();

  /** Remembers a schema or a channel; of several with one id the first holds. */
  take(record: RawRecord): void {
    if (record.opcode === OPCODE.schema) {
      const schema = decodeSchema(record);
      if (schema.id !== 0 && !this.schemas.has(schema.id)) this.schemas.set(schema.id, schema);
    } else if (record.opcode === OPCODE.channel) {
      const channel = decodeChannel(record);
      if (!this.channels.has(channel.id)) this.channels.set(channel.id, channel);
    }
  }

  /** @throws {FormatFault} when a channel's schema is missing. */
  resolve(): ReadonlyMap<number, Channel> {
    const resolved = this.channels.values().map((channel): [number, Channel] => {
      const { id, topic, messageEncoding, metadata, schemaId } = channel;
      const schema = this.schemas.get(schemaId);
      if (schemaId !== 0 && !schema) {
        throw new FormatFault(`the schema ${schemaId} of channel ${id}, "${topic}", is missing`, 0);
      }
      const { name = '', encoding = '', data = new Uint8Array() } = schema ?? {};
      return [id, { id, topic, messageEncoding, metadata, schema: schema && { name, encoding, data } }];
    });
    return new Map([...resolved].sort(([a], [b]) => a - b));
  }
}

/** Longest run of bare records that is read at once. */
const RUN_BYTES = 1 << 20;

async function scan(file: FileBytes, end: number): Promise<FileContent> {
  const definitions = new Definitions();
  const chunks: ChunkPlace[] = [];
  const attachments: AttachmentIndex[] = [];
  const metadata: MetadataIndex[] = [];
  const counts = new Map<number, number>();
  let run: { start: number; end: number } | undefined;

  const closeRun = async () => {
    if (!run) return;
    const length = run.end - run.start;
    addPlace(await file.read(run.start, length), {
      offset: run.start,
      length,
      isBare: true,
      compression: '',
    });
    run = undefined;
  };
  const addPlace = (
    block: Uint8Array,
    place: Pick<ChunkPlace, 'offset' | 'length' | 'isBare' | 'compression'>,
  ) => {
    for (const record of records(block)) definitions.take(record);
    const { offsets, logTimes } = placeMessages(block);
    if (offsets.length === 0) return;
    const view = viewOf(block);
    const channelIds = new Set<number>();
    for (const at of offsets) {
      const id = view.getUint16(at + RECORD_PREFIX_BYTES, true);
      channelIds.add(id);
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    chunks.push({
      ...place,
      startTime: logTimes[0]!,
      endTime: logTimes.at(-1)!,
      compressedBytes: place.length,
      uncompressedBytes: block.byteLength,
      channelIds,
      messageIndexOffsets: new Map(),
      messageIndexBytes: 0,
    });
  };

  for await (const record of fileRecords(file, MAGIC.byteLength, end)) {
    const { opcode, offset } = record;
    const length = endOfRecord(record) - offset;
    if (opcode === OPCODE.dataEnd || opcode === OPCODE.footer) break;
    if (opcode === OPCODE.message || opcode === OPCODE.schema || opcode === OPCODE.channel) {
      run ??= { start: offset, end: offset };
      run.end = offset + length;
      if (run.end - run.start >= RUN_BYTES) await closeRun();
      continue;
    }
    await closeRun();
    switch (opcode) {
      case OPCODE.chunk: {
        const { compression } = decodeChunkHeader(record);
        const block = await unpackChunk(await file.read(offset, length), offset);
        addPlace(block, { offset, length, isBare: false, compression });
        break;
      }
      case OPCODE.attachment:
        attachments.push({ ...decodeAttachmentHeader(record), offset, length });
        break;
      case OPCODE.metadata:
        metadata.push({ name: decodeMetadata(record).name, offset, length });
        break;
    }
  }
  await closeRun();
  return {
    channels: definitions.resolve(),
    chunks,
    attachments,
    metadata,
    messageCounts: counts,
    times: timesOf(chunks),
  };
}

function timesOf(chunks: readonly ChunkPlace[]): EpisodeIndex['times'] {
  if (chunks.length === 0) return undefined;
  const starts = chunks.map(({ startTime }) => startTime).sort(compareTimes);
  const ends = chunks.map(({ endTime }) => endTime).sort(compareTimes);
  return { first: starts[0]!, last: ends.at(-1)! };
}
