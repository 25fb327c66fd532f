import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { McapWriter } from '@mcap/core';
import { describe, expect, test } from 'vitest';
import type { Compression } from './chunk-codec.ts';
import { compareTimes } from './chunk-reader.ts';
import { LEDGER_RECORD, RECOVERY_RECORD } from './episode.ts';
import { EpisodeReader } from './episode-reader.ts';
import { EpisodeWriter } from './episode-writer.ts';
import { channelSpec, someMessages, temporaryFolder } from './fixtures/episodes.ts';
import { encodeLedger } from './ledger.ts';
import { recoverEpisode } from './recovery.ts';

const TOPICS = ['/a', '/b', '/camera'];
const MESSAGES = [...someMessages(600)];

/** An episode of 600 messages in some 20 chunks, its ledger at the end. */
async function episodeBytes(folder: string, compression: Compression): Promise<Buffer> {
  const file = join(folder, `${compression}.mcap`);
  const writer = await EpisodeWriter.open(file, { compression, chunkBytes: 3000 });
  writer.addChannel(channelSpec('/a'));
  writer.addChannel(channelSpec('/b'));
  writer.addChannel(channelSpec('/camera', 'sensor_msgs/msg/CompressedImage'));
  for (const message of MESSAGES) await writer.write(message);
  const data = new TextEncoder().encode('kinescribe: 1\n');
  await writer.addAttachment({ name: 'contract.yaml', mediaType: 'application/yaml', logTime: 5n, data });
  await writer.flush();
  const ledger = encodeLedger({
    totals: TOPICS.map((topic) => ({ topic, received: 201, written: 200 })),
    losses: [],
  });
  await writer.addMetadata(LEDGER_RECORD, new Map([['ledger', ledger]]));
  await writer.close();
  return readFile(file);
}

/** Recovers the bytes and reads the outcome; every message must be one of those written, bit for bit. */
async function recover(folder: string, bytes: Uint8Array) {
  const [input, target] = [join(folder, 'damaged.mcap.part'), join(folder, `out-${Math.random()}.mcap`)];
  await writeFile(input, bytes);
  const report = await recoverEpisode(input, target);
  expect(Buffer.compare(await readFile(input), bytes)).toBe(0);
  const sequences = new Set<number>();
  if (report.result === 'nothing') {
    await expect(stat(target)).rejects.toThrow(/ENOENT/);
    return { report, sequences, ledger: undefined, attachments: 0 };
  }
  await using reader = await EpisodeReader.open(target);
  expect(reader.isIndexed).toBe(true);
  expect(await reader.metadata(RECOVERY_RECORD)).toContainEqual(['result', report.result]);
  for await (const { channel, sequence, logTime, data } of reader.messages()) {
    const sent = MESSAGES[sequence]!;
    expect({ topic: channel.topic, logTime }).toEqual({
      topic: TOPICS[sent.channelId],
      logTime: sent.logTime,
    });
    expect(Buffer.compare(data, sent.data)).toBe(0);
    expect(sequences.has(sequence)).toBe(false);
    sequences.add(sequence);
  }
  expect(sequences.size).toBe(report.messageCount);
  const attachments = reader.attachmentIndexes.length;
  return { report, sequences, ledger: await reader.ledger(), attachments };
}

describe.each<Compression>(['none', 'lz4', 'zstd'])('recoverEpisode() with chunks of %s', (compression) => {
  test('copies a sound episode without loss', async () => {
    await using folder = await temporaryFolder();
    const { report, sequences, ledger, attachments } = await recover(
      folder.path,
      await episodeBytes(folder.path, compression),
    );
    expect(report).toEqual({
      result: 'lossless',
      messageCount: 600,
      isClosed: true,
      damages: [],
      losses: [],
    });
    expect(sequences.size).toBe(600);
    expect(ledger?.totals).toContainEqual({ topic: '/a', received: 201, written: 200 });
    expect(attachments).toBe(1);
  });

  test('rebuilds a summary that is damaged or gone without loss of messages', async () => {
    await using folder = await temporaryFolder();
    const bytes = await episodeBytes(folder.path, compression);
    bytes[bytes.length - 60]! ^= 1;
    expect((await recover(folder.path, bytes)).report).toMatchObject({
      result: 'lossless',
      messageCount: 600,
    });
    expect((await recover(folder.path, bytes.subarray(0, -20))).report).toMatchObject({
      result: 'lossless',
      messageCount: 600,
    });
  });

  test('keeps every message in front of the place where the file was cut', async () => {
    await using folder = await temporaryFolder();
    const bytes = await episodeBytes(folder.path, compression);
    let before = 0;
    for (let end = 40; end < bytes.length / 2; end += 997) {
      const { report, sequences, ledger } = await recover(folder.path, bytes.subarray(0, end));
      expect(sequences.size).toBeGreaterThanOrEqual(before);
      before = sequences.size;
      expect(report.isClosed).toBe(false);
      if (sequences.size === 0) continue;
      // What is missing lies in a range that the ledger names for its topic.
      for (const [channelId, topic] of TOPICS.entries()) {
        const ofTopic = MESSAGES.filter((message) => message.channelId === channelId);
        const found = ofTopic.filter(({ sequence }) => sequences.has(sequence));
        const lastTime =
          found
            .map(({ logTime }) => logTime)
            .toSorted(compareTimes)
            .at(-1) ?? 0n;
        const named = ledger!.losses.filter((loss) => loss.topic === topic);
        for (const { sequence, logTime } of ofTopic) {
          if (sequences.has(sequence) || logTime <= lastTime || found.length === 0) continue;
          expect(named.some(({ startTime, endTime }) => startTime <= logTime && logTime < endTime)).toBe(
            true,
          );
        }
      }
    }
    expect(before).toBeGreaterThan(200);
  });

  test('skips a chunk with a flipped bit and counts what was in it', async () => {
    await using folder = await temporaryFolder();
    const bytes = await episodeBytes(folder.path, compression);
    await using reader = await EpisodeReader.open(join(folder.path, `${compression}.mcap`));
    for (const { offset, length } of [reader.chunks[0]!, reader.chunks[5]!, reader.chunks.at(-1)!]) {
      const damaged = Buffer.from(bytes);
      damaged[offset + length - 200]! ^= 4;
      const { report, sequences, ledger } = await recover(folder.path, damaged);
      expect(report).toMatchObject({ result: 'lossy', isClosed: true });
      expect(report.damages).toMatchObject([{ startOffset: offset, endOffset: offset + length }]);
      const missing = MESSAGES.filter(({ sequence }) => !sequences.has(sequence));
      expect(missing.length).toBeGreaterThan(0);
      for (const [channelId, topic] of TOPICS.entries()) {
        const lost = missing.filter((message) => message.channelId === channelId);
        const named = ledger!.losses.filter((loss) => loss.topic === topic);
        expect(named.reduce((sum, { messages }) => sum + messages!, 0)).toBe(lost.length);
        for (const { logTime } of lost) {
          expect(named.some(({ startTime, endTime }) => startTime <= logTime && logTime < endTime)).toBe(
            true,
          );
        }
        expect(ledger!.totals.find((total) => total.topic === topic)).toMatchObject({
          received: 201,
          written: 200 - lost.length,
        });
      }
    }
  });

  test('names what was in a wide hole, by topic and time', async () => {
    await using folder = await temporaryFolder();
    const bytes = await episodeBytes(folder.path, compression);
    await using reader = await EpisodeReader.open(join(folder.path, `${compression}.mcap`));
    const { chunks } = reader;
    // Also with the summary gone, which otherwise knows how many messages there were.
    for (const [first, last, end] of [
      [chunks[3]!, chunks[8]!, bytes.length],
      [chunks[3]!, chunks[8]!, bytes.length - 8],
      [chunks.at(-6)!, chunks.at(-1)!, bytes.length],
      [chunks.at(-6)!, chunks.at(-1)!, bytes.length - 8],
    ] as const) {
      const damaged = Buffer.from(bytes.subarray(0, end)).fill(0, first.offset + 5, last.offset + 100);
      const { report, sequences, ledger } = await recover(folder.path, damaged);
      expect(report).toMatchObject({ result: 'lossy', isClosed: true });
      for (const { sequence, channelId, logTime } of MESSAGES) {
        if (sequences.has(sequence)) continue;
        const named = ledger!.losses.filter((loss) => loss.topic === TOPICS[channelId]);
        expect(named.some(({ startTime, endTime }) => startTime <= logTime && logTime < endTime)).toBe(true);
      }
      expect(sequences.size).toBeLessThan(560);
    }
  });

  test('finds its way again behind foreign bytes and behind a hole', async () => {
    await using folder = await temporaryFolder();
    const bytes = await episodeBytes(folder.path, compression);
    const at = Math.floor(bytes.length / 3);
    const noise = Buffer.from(MESSAGES.flatMap(({ data }) => [...data])).subarray(0, 5000);
    const inserted = Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)]);
    const holed = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 5000)]);
    for (const damaged of [inserted, holed]) {
      const { report, sequences } = await recover(folder.path, damaged);
      expect(report.result).toBe('lossy');
      expect(sequences.size).toBeGreaterThan(450);
      expect(sequences.has(MESSAGES.length - 1)).toBe(true);
    }
  });
});

test('recoverEpisode() brings a ledger up to date that was written in the middle of the take', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'take.mcap');
  const writer = await EpisodeWriter.open(file);
  writer.addChannel(channelSpec('/a'));
  const full = { topic: '/a', cause: 'queue-full', messages: 3, startTime: 1n, endTime: 2n } as const;
  const ledger = encodeLedger({ totals: [{ topic: '/a', received: 13, written: 10 }], losses: [full] });
  const messages = [...someMessages(100, { channels: 1 })];
  for (const message of messages.slice(0, 10)) await writer.write(message);
  await writer.addMetadata(LEDGER_RECORD, new Map([['ledger', ledger]]));
  for (const message of messages.slice(10)) await writer.write(message);
  await writer.flush().then(() => writer.abort());
  const target = join(folder.path, 'recovered.mcap');
  await recoverEpisode(`${file}.part`, target);
  await using reader = await EpisodeReader.open(target);
  expect(await reader.ledger()).toMatchObject({
    totals: [{ topic: '/a', received: 100, written: 100 }],
    losses: [full, { topic: '/a', cause: 'damaged', messages: null }],
  });
});

test('recoverEpisode() finds nothing in a file that has no message', async () => {
  await using folder = await temporaryFolder();
  for (const bytes of [new Uint8Array(), new Uint8Array(5000), Buffer.from('not an MCAP file, only text')]) {
    expect((await recover(folder.path, bytes)).report).toMatchObject({ result: 'nothing', messageCount: 0 });
  }
});

/** The messages in a file of another writer, which defines its channels once. */
async function foreignBytes(options: { useChunks?: boolean; chunkSize?: number }): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const writer = new McapWriter({
    ...options,
    writable: {
      position: () => BigInt(parts.reduce((sum, part) => sum + part.byteLength, 0)),
      write: async (part) => void parts.push(part.slice()),
    },
  });
  await writer.start({ profile: 'ros2', library: 'test' });
  for (const topic of TOPICS) {
    const { schema, ...channel } = channelSpec(topic);
    const schemaId = await writer.registerSchema(schema!);
    await writer.registerChannel({ ...channel, schemaId, metadata: new Map() });
  }
  for (const message of MESSAGES) await writer.addMessage(message);
  await writer.end();
  return Buffer.concat(parts);
}

test('recoverEpisode() reads messages that stand bare in the file', async () => {
  await using folder = await temporaryFolder();
  const bytes = await foreignBytes({ useChunks: false });
  expect((await recover(folder.path, bytes)).report).toMatchObject({ result: 'lossless', messageCount: 600 });
  const { report } = await recover(folder.path, bytes.subarray(0, bytes.length / 2));
  expect(report).toMatchObject({ result: 'lossy', isClosed: false });
  expect(report.messageCount).toBeGreaterThan(250);
});

test('recoverEpisode() takes definitions from the summary when the chunk that has them is damaged', async () => {
  await using folder = await temporaryFolder();
  const bytes = await foreignBytes({ chunkSize: 4000 });
  bytes[2000]! ^= 0xff; // inside of the first chunk: the only other place that defines the channels
  const { report, sequences } = await recover(folder.path, bytes);
  expect(report).toMatchObject({ result: 'lossy', damages: [{}] });
  expect(sequences.size).toBeGreaterThan(500);
  expect(sequences).toContain(599);
  expect(sequences).not.toContain(0);
});
