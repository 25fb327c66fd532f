import { existsSync } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { unpackChunk } from './chunk-reader.ts';
import { EpisodeReader } from './episode-reader.ts';
import { FileBytes } from './file-bytes.ts';
import {
  decodeAttachmentHeader,
  decodeAttachmentIndex,
  decodeChannel,
  decodeChunkIndex,
  decodeDataEnd,
  decodeFooter,
  decodeHeader,
  decodeMetadata,
  decodeMetadataIndex,
  decodeSchema,
  decodeStatistics,
  decodeSummaryOffset,
  type RawRecord,
  records,
  viewOf,
} from './mcap-decode.ts';
import { MAGIC, OPCODE } from './mcap-format.ts';
import { fileRecords } from './mcap-scan.ts';

const CASES = '../shared/data/mcap_conformance/data';
const isHere = existsSync(CASES);

interface ExpectedRecord {
  readonly type: string;
  readonly fields: readonly (readonly [name: string, value: unknown])[];
}

const bytes = (data: Uint8Array) => [...data].map(String);
const ids = (map: ReadonlyMap<number, number>) =>
  Object.fromEntries([...map].map(([id, value]) => [String(id), String(value)]));
const strings = (map: ReadonlyMap<string, string>) => Object.fromEntries(map);

/** What the suite's expectations call each record and its fields. */
const DESCRIBE: Readonly<Record<number, (record: RawRecord) => [type: string, fields: object]>> = {
  [OPCODE.header]: (record) => ['Header', decodeHeader(record)],
  [OPCODE.footer]: (record) => {
    const { summaryStart, summaryOffsetStart, summaryCrc } = decodeFooter(record);
    return [
      'Footer',
      { summary_start: summaryStart, summary_offset_start: summaryOffsetStart, summary_crc: summaryCrc },
    ];
  },
  [OPCODE.schema]: (record) => {
    const { id, name, encoding, data } = decodeSchema(record);
    return ['Schema', { id, name, encoding, data: bytes(data) }];
  },
  [OPCODE.channel]: (record) => {
    const { id, schemaId, topic, messageEncoding, metadata } = decodeChannel(record);
    const fields = { id, schema_id: schemaId, topic, message_encoding: messageEncoding };
    return ['Channel', { ...fields, metadata: strings(metadata) }];
  },
  [OPCODE.message]: ({ content }) => {
    const view = viewOf(content);
    return [
      'Message',
      {
        channel_id: view.getUint16(0, true),
        sequence: view.getUint32(2, true),
        log_time: view.getBigUint64(6, true),
        publish_time: view.getBigUint64(14, true),
        data: bytes(content.subarray(22)),
      },
    ];
  },
  [OPCODE.attachment]: (record) => {
    const { logTime, createTime, name, mediaType, dataBytes, fieldBytes } = decodeAttachmentHeader(record);
    const { content } = record;
    return [
      'Attachment',
      {
        log_time: logTime,
        create_time: createTime,
        name,
        media_type: mediaType,
        data: bytes(content.subarray(fieldBytes, fieldBytes + dataBytes)),
      },
    ];
  },
  [OPCODE.metadata]: (record) => {
    const { name, fields } = decodeMetadata(record);
    return ['Metadata', { name, metadata: strings(fields) }];
  },
  [OPCODE.dataEnd]: (record) => ['DataEnd', { data_section_crc: decodeDataEnd(record).dataSectionCrc }],
  [OPCODE.statistics]: (record) => {
    const statistics = decodeStatistics(record);
    return [
      'Statistics',
      {
        message_count: statistics.messageCount,
        schema_count: statistics.schemaCount,
        channel_count: statistics.channelCount,
        attachment_count: statistics.attachmentCount,
        metadata_count: statistics.metadataCount,
        chunk_count: statistics.chunkCount,
        message_start_time: statistics.startTime,
        message_end_time: statistics.endTime,
        channel_message_counts: ids(statistics.channelMessageCounts),
      },
    ];
  },
  [OPCODE.chunkIndex]: (record) => {
    const chunk = decodeChunkIndex(record);
    return [
      'ChunkIndex',
      {
        message_start_time: chunk.startTime,
        message_end_time: chunk.endTime,
        chunk_start_offset: chunk.offset,
        chunk_length: chunk.length,
        message_index_offsets: ids(chunk.messageIndexOffsets),
        message_index_length: chunk.messageIndexBytes,
        compression: chunk.compression,
        compressed_size: chunk.compressedBytes,
        uncompressed_size: chunk.uncompressedBytes,
      },
    ];
  },
  [OPCODE.attachmentIndex]: (record) => {
    const { offset, length, logTime, createTime, dataBytes, name, mediaType } = decodeAttachmentIndex(record);
    const fields = { offset, length, log_time: logTime, create_time: createTime };
    return ['AttachmentIndex', { ...fields, data_size: dataBytes, name, media_type: mediaType }];
  },
  [OPCODE.metadataIndex]: (record) => ['MetadataIndex', { ...decodeMetadataIndex(record) }],
  [OPCODE.summaryOffset]: (record) => {
    const { groupOpcode, groupStart, groupLength } = decodeSummaryOffset(record);
    return [
      'SummaryOffset',
      { group_opcode: groupOpcode, group_start: groupStart, group_length: groupLength },
    ];
  },
};

function described(record: RawRecord): ExpectedRecord[] {
  const describer = DESCRIBE[record.opcode];
  if (!describer) return []; // message indexes are left out of the expectations
  const [type, fields] = describer(record);
  const text = (value: unknown) =>
    typeof value === 'number' || typeof value === 'bigint' ? String(value) : value;
  const entries = Object.entries(fields).map(([name, value]) => [name, text(value)] as const);
  return [{ type, fields: entries.sort(([a], [b]) => (a < b ? -1 : 1)) }];
}

async function readAll(path: string): Promise<ExpectedRecord[]> {
  const file = await FileBytes.open(path);
  const found: ExpectedRecord[] = [];
  for await (const record of fileRecords(file, MAGIC.byteLength, file.size - MAGIC.byteLength)) {
    if (record.opcode === OPCODE.chunk) {
      const chunk = await unpackChunk(await file.read(record.offset, record.contentBytes + 9), record.offset);
      for (const inner of records(chunk)) found.push(...described(inner));
    } else found.push(...described(record));
  }
  await file.close();
  return found;
}

const fieldOf = ({ fields }: ExpectedRecord, name: string) => fields.find(([each]) => each === name)?.[1];

/** Whether the reader's methods agree with the records. */
async function checkReader(path: string, expected: readonly ExpectedRecord[]): Promise<void> {
  const ofType = (type: string) => expected.filter((record) => record.type === type);
  await using reader = await EpisodeReader.open(path);
  const read = await collect(reader.messages());
  const inTimeOrder = ofType('Message')
    .map((record) => [Number(fieldOf(record, 'log_time')), Number(fieldOf(record, 'sequence'))])
    .sort(([a], [b]) => a! - b!);
  expect(read.map(({ logTime, sequence }) => [Number(logTime), sequence])).toEqual(inTimeOrder);
  expect(reader.messageCount).toBe(inTimeOrder.length);
  expect(await collect(reader.attachments())).toHaveLength(ofType('Attachment').length);
  for (const record of ofType('Metadata')) {
    const fields = await reader.metadata(String(fieldOf(record, 'name')));
    expect(strings(fields ?? new Map())).toEqual(fieldOf(record, 'metadata'));
  }
}

// Every combination of chunks, indexes, statistics, summary and padding that the format allows.
describe.skipIf(!isHere)(`MCAP conformance (needs ${CASES})`, async () => {
  const files = isHere ? await collect(glob(join(CASES, '*/*.mcap'))) : [];
  const byRecords = Map.groupBy(files, (file) => basename(dirname(file)));

  test('the suite is complete', () => {
    expect(files).toHaveLength(416);
  });

  test.each([...byRecords])('EpisodeReader reads the expected records of every %s', async (_, cases) => {
    for (const file of cases) {
      const { records: expected } = JSON.parse(await readFile(file.replace(/mcap$/, 'json'), 'utf8'));
      expect(await readAll(file), file).toEqual(expected);
      await checkReader(file, expected);
    }
  });
});

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}
