import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { McapWriter } from '@mcap/core';
import { expect, test } from 'vitest';
import { EpisodeReader } from './episode-reader.ts';
import { EpisodeWriter, type EpisodeWriterOptions } from './episode-writer.ts';
import { KinescribeError } from './errors.ts';
import { channelSpec, seededRandom, someMessages, temporaryFolder } from './fixtures/episodes.ts';
import { recoverEpisode } from './recovery.ts';

// FUZZ_CASES=10000 FUZZ_SEED=… npx vitest run schemas/episode-fuzz.test.ts
const CASES = Number(process.env.FUZZ_CASES ?? 500);
const SEED = Number(process.env.FUZZ_SEED ?? 1);
/** Far above what a file of 40 kB needs, far below what a wrong length field could ask for. */
const MAX_GROWTH_BYTES = 700e6;
const MAX_CASE_MILLIS = 5000;

type Random = () => number;
type Mutation = (bytes: Buffer, random: Random, other: Buffer) => Buffer;

const below = (random: Random, end: number) => Math.floor(random() * end);

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  truncate: (bytes, random) => bytes.subarray(0, below(random, bytes.length)),
  'flip bits': (bytes, random) => {
    for (let n = 1 + below(random, 8); n > 0; n--)
      bytes[below(random, bytes.length)]! ^= 1 << below(random, 8);
    return bytes;
  },
  'zero a range': (bytes, random) => {
    const start = below(random, bytes.length);
    return bytes.fill(0, start, Math.min(start + below(random, 4000), bytes.length));
  },
  'huge number': (bytes, random) => {
    bytes.writeBigUInt64LE(
      BigInt.asUintN(64, 1n << BigInt(below(random, 64))),
      below(random, bytes.length - 8),
    );
    return bytes;
  },
  'flip in the summary': (bytes, random) => {
    bytes[bytes.length - 1 - below(random, 3000)]! ^= 1 << below(random, 8);
    return bytes;
  },
  'cut out a range': (bytes, random) => {
    const start = below(random, bytes.length);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + below(random, 6000))]);
  },
  'repeat a range': (bytes, random) => {
    const start = below(random, bytes.length);
    const end = start + below(random, 6000);
    return Buffer.concat([bytes.subarray(0, end), bytes.subarray(start)]);
  },
  'splice two files': (bytes, random, other) =>
    Buffer.concat([
      bytes.subarray(0, below(random, bytes.length)),
      other.subarray(below(random, other.length)),
    ]),
};

async function ourFile(folder: string, options: EpisodeWriterOptions): Promise<Buffer> {
  const file = join(folder, `${JSON.stringify(options).length}-${Math.random()}.mcap`);
  const writer = await EpisodeWriter.open(file, { chunkBytes: 4000, ...options });
  writer.addChannel(channelSpec('/a'));
  writer.addChannel(channelSpec('/camera', 'sensor_msgs/msg/CompressedImage'));
  for (const message of someMessages(300, { channels: 2 })) await writer.write(message);
  await writer.addAttachment({ name: 'urdf', mediaType: 'text/xml', logTime: 1n, data: new Uint8Array(500) });
  await writer.addMetadata('note', new Map([['text', 'of some length']]));
  await writer.close();
  return readFile(file);
}

async function foreignFile(options: { useChunks: boolean; useSummary: boolean }): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const writer = new McapWriter({
    chunkSize: 4000,
    useSummaryOffsets: options.useSummary,
    useStatistics: options.useSummary,
    repeatChannels: options.useSummary,
    useChunks: options.useChunks,
    writable: {
      position: () => BigInt(parts.reduce((sum, part) => sum + part.byteLength, 0)),
      write: async (part) => void parts.push(part.slice()),
    },
  });
  await writer.start({ profile: '', library: 'test' });
  for (const topic of ['/a', '/b']) {
    const schemaId = await writer.registerSchema(channelSpec(topic).schema!);
    await writer.registerChannel({ topic, messageEncoding: 'cdr', schemaId, metadata: new Map() });
  }
  for (const message of someMessages(300, { channels: 2 })) await writer.addMessage(message);
  await writer.end();
  return Buffer.concat(parts);
}

/** Everything that can be asked of a file. */
async function readAll(file: string): Promise<number> {
  await using reader = await EpisodeReader.open(file);
  let count = 0;
  for await (const { data } of reader.messages()) count += data.byteLength >= 0 ? 1 : 0;
  const topics = new Set(reader.channels.values().map(({ topic }) => topic));
  await reader.latestBefore((reader.startTime + reader.endTime) / 2n, topics);
  for await (const { data } of reader.attachments()) expect(data).toBeInstanceOf(Uint8Array);
  await reader.metadata('note');
  return count;
}

test(`${CASES} damaged files each give a typed error or are read, and what is recovered is sound`, async () => {
  await using folder = await temporaryFolder();
  const originals = [
    await ourFile(folder.path, {}),
    await ourFile(folder.path, { compression: 'lz4' }),
    await ourFile(folder.path, { compression: 'none' }),
    await foreignFile({ useChunks: true, useSummary: true }),
    await foreignFile({ useChunks: true, useSummary: false }),
    await foreignFile({ useChunks: false, useSummary: true }),
  ];
  const names = Object.keys(MUTATIONS);
  const [input, target] = [join(folder.path, 'input.mcap'), join(folder.path, 'target.mcap')];
  const rssBefore = process.memoryUsage().rss;
  const outcomes = new Map<string, number>();
  for (let number = 0; number < CASES; number++) {
    const random = seededRandom(SEED * 1_000_003 + number);
    const name = names[below(random, names.length)]!;
    const original = originals[below(random, originals.length)]!;
    const other = originals[below(random, originals.length)]!;
    const label = `case ${number} of seed ${SEED}: ${name}`;
    await writeFile(input, MUTATIONS[name]!(Buffer.from(original), random, other));
    const startMillis = performance.now();
    const outcome = await readAll(input).then(
      () => 'read',
      (error) => {
        if (error instanceof KinescribeError) return error.code;
        throw new Error(label, { cause: error });
      },
    );
    const report = await recoverEpisode(input, target).catch((cause) => {
      throw new Error(label, { cause });
    });
    if (report.result !== 'nothing') {
      const count = await readAll(target).catch((cause) => {
        throw new Error(label, { cause });
      });
      expect(count, label).toBe(report.messageCount);
      await rm(target);
    }
    expect(performance.now() - startMillis, label).toBeLessThan(MAX_CASE_MILLIS);
    expect(process.memoryUsage().rss - rssBefore, label).toBeLessThan(MAX_GROWTH_BYTES);
    const key = `${outcome}, ${report.result}`;
    outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
  }
  // Both ways out were taken: the mutations are neither harmless nor all fatal.
  expect(outcomes.get('EPISODE, lossy')).toBeGreaterThan(CASES / 10);
  expect([...outcomes.keys()].some((key) => key.startsWith('read'))).toBe(true);
}, 0);
