import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EpisodeReader } from './episode-reader.ts';
import {
  type Attachment,
  EpisodeWriter,
  type EpisodeWriterOptions,
  type MessageToWrite,
} from './episode-writer.ts';
import { fileDigest } from './file-digest.ts';
import { channelSpec, someMessages, temporaryFolder } from './fixtures/episodes.ts';
import type { Message } from './message.ts';

const TOPICS = ['/a', '/b', '/c'];

async function writeEpisode(
  file: string,
  messages: Iterable<MessageToWrite>,
  options?: EpisodeWriterOptions,
) {
  const writer = await EpisodeWriter.open(file, options);
  for (const topic of TOPICS) writer.addChannel(channelSpec(topic));
  for (const message of messages) await writer.write(message);
  return writer;
}

async function read(messages: AsyncIterable<Message>): Promise<MessageToWrite[]> {
  const all: MessageToWrite[] = [];
  for await (const { channel, sequence, logTime, publishTime, data } of messages) {
    all.push({ channelId: channel.id, sequence, logTime, publishTime, data: Uint8Array.from(data) });
  }
  return all;
}

/** The order of reading: log time, then the place in the file. */
function inTimeOrder(messages: readonly MessageToWrite[]): MessageToWrite[] {
  return [...messages].sort((a, b) => Number(a.logTime - b.logTime));
}

const OPTIONS: readonly EpisodeWriterOptions[] = [
  {},
  { compression: 'none' },
  { compression: 'lz4' },
  { compression: 'zstd', level: 3 },
  { chunkBytes: 500 },
  { chunkBytes: 4000, compression: 'none' },
  { durability: 'chunk' },
  { durability: 'none', maxBufferedBytes: 5000 },
];

test.each(OPTIONS)('EpisodeReader gives back what EpisodeWriter took with %j', async (options) => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'take.mcap');
  const messages = [...someMessages(1000)];
  const writer = await writeEpisode(file, messages, options);
  const closed = await writer.close();
  expect(closed).toEqual({ file, bytes: (await stat(file)).size, messageCount: 1000 });
  expect(await readdir(folder.path)).toEqual(['take.mcap']);

  await using reader = await EpisodeReader.open(file);
  expect(await read(reader.messages())).toEqual(inTimeOrder(messages));
  expect(await read(reader.messages({ reverse: true }))).toEqual(inTimeOrder(messages).reverse());
  expect(reader.messageCount).toBe(1000);
  expect(reader.startTime).toBe(inTimeOrder(messages)[0]!.logTime);
  expect(reader.endTime).toBe(inTimeOrder(messages).at(-1)!.logTime + 1n);
  expect([...reader.messageCounts]).toEqual([
    [0, 334],
    [1, 333],
    [2, 333],
  ]);
});

test('messages() gives the topics and the half-open range asked for', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'take.mcap');
  const messages = [...someMessages(2000)];
  await (await writeEpisode(file, messages, { chunkBytes: 10_000 })).close();
  await using reader = await EpisodeReader.open(file);
  const startTime = messages[300]!.logTime;
  const endTime = messages[1203]!.logTime;
  const wanted = inTimeOrder(messages).filter(
    ({ channelId, logTime }) => channelId !== 1 && logTime >= startTime && logTime < endTime,
  );
  const options = { topics: ['/a', '/c', '/not there'], startTime, endTime };
  expect(await read(reader.messages(options))).toEqual(wanted);
  expect(await read(reader.messages({ ...options, reverse: true }))).toEqual(wanted.reverse());
});

test('messages() keeps iterators that run at once apart', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'take.mcap');
  const messages = [...someMessages(2000)];
  await (await writeEpisode(file, messages, { chunkBytes: 10_000 })).close();
  await using reader = await EpisodeReader.open(file);
  const [all, backwards, one] = await Promise.all([
    read(reader.messages()),
    read(reader.messages({ reverse: true })),
    read(reader.messages({ topics: ['/b'] })),
  ]);
  expect(all).toEqual(inTimeOrder(messages));
  expect(backwards).toEqual(inTimeOrder(messages).reverse());
  expect(one).toEqual(inTimeOrder(messages).filter(({ channelId }) => channelId === 1));
});

test('latestBefore() finds the last message at or before an instant, per topic', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'take.mcap');
  const messages = [...someMessages(500)];
  await (await writeEpisode(file, messages, { chunkBytes: 3000 })).close();
  await using reader = await EpisodeReader.open(file);
  for (const at of [0, 1, 2, 100, 104, 499]) {
    for (const offset of [-1n, 0n, 1n]) {
      const time = messages[at]!.logTime + offset;
      const latest = await reader.latestBefore(time, [...TOPICS, '/not there']);
      for (const [channelId, topic] of TOPICS.entries()) {
        const expected = inTimeOrder(messages).findLast(
          (each) => each.channelId === channelId && each.logTime <= time,
        );
        expect(latest.get(topic)?.sequence).toBe(expected?.sequence);
        expect(latest.get(topic)?.data).toEqual(expected?.data);
      }
      expect(latest.has('/not there')).toBe(false);
    }
  }
});

test('EpisodeWriter keeps metadata, attachments and channels without messages', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'take.mcap');
  const writer = await writeEpisode(file, someMessages(10));
  await writer.addMetadata('note', new Map([['text', 'first']]));
  await writer.addMetadata('note', new Map([['text', 'second']]));
  const data = new TextEncoder().encode('kinescribe: 1\n');
  await writer.addAttachment({ name: 'contract.yaml', mediaType: 'application/yaml', logTime: 5n, data });
  async function* blocks() {
    yield new Uint8Array(1000).fill(1);
    yield new Uint8Array(500).fill(2);
  }
  const stream = { name: 'mesh.bin', mediaType: 'application/octet-stream', logTime: 6n };
  await writer.addAttachment({ ...stream, dataBytes: 1500, data: blocks() });
  writer.addChannel(channelSpec('/silent'));
  await writer.close();

  await using reader = await EpisodeReader.open(file);
  expect(await reader.metadata('note')).toEqual(new Map([['text', 'second']]));
  expect(await reader.metadata('absent')).toBeUndefined();
  expect([...reader.channels.values()].map(({ topic }) => topic)).toEqual([...TOPICS, '/silent']);
  expect(reader.channels.get(3)).toEqual({ id: 3, ...channelSpec('/silent') });
  const attachments: Attachment[] = [];
  for await (const attachment of reader.attachments()) attachments.push(attachment);
  expect(attachments.map(({ name, logTime, data }) => [name, logTime, data.byteLength])).toEqual([
    ['contract.yaml', 5n, data.byteLength],
    ['mesh.bin', 6n, 1500],
  ]);
  expect(Buffer.from(attachments[0]!.data)).toEqual(Buffer.from(data));
  expect(attachments[1]!.data.subarray(999, 1001)).toEqual(new Uint8Array([1, 2]));
});

test('EpisodeReader.open() reads an episode without messages', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'take.mcap');
  await (await EpisodeWriter.open(file)).close();
  await using reader = await EpisodeReader.open(file);
  expect([reader.messageCount, reader.channels.size]).toEqual([0, 0]);
  expect(reader.endTime).toBe(reader.startTime);
  expect(await read(reader.messages())).toEqual([]);
});

test('EpisodeWriter.open() refuses a file that exists, one under way and a missing folder', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'take.mcap');
  const writer = await EpisodeWriter.open(file);
  await expect(EpisodeWriter.open(file)).rejects.toThrow(/Cannot create episode .*exists/);
  await writer.close();
  await expect(EpisodeWriter.open(file)).rejects.toThrow(/Cannot create episode .*exists/);
  await expect(EpisodeWriter.open(join(folder.path, 'no', 'take.mcap'))).rejects.toThrow(/ENOENT/);
  await expect(EpisodeWriter.open(join(folder.path, 'take.bag'))).rejects.toThrow(RangeError);
});

test('EpisodeWriter.abort() leaves the part, which EpisodeReader.open() refuses with advice', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'take.mcap');
  const writer = await writeEpisode(file, someMessages(10));
  await writer.abort();
  expect(await readdir(folder.path)).toEqual(['take.mcap.part']);
  await expect(EpisodeReader.open(`${file}.part`)).rejects.toThrow(/kinescribe recover/);
  await expect(EpisodeReader.open(file)).rejects.toMatchObject({ code: 'USAGE' });
});

test('fileDigest() is the SHA-256 of the bytes', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'take.mcap');
  await (await writeEpisode(file, someMessages(10))).close();
  expect(await fileDigest(file)).toMatch(/^sha256:[0-9a-f]{64}$/);
});
