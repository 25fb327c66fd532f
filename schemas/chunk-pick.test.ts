import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EpisodeReader } from './episode-reader.ts';
import { EpisodeWriter } from './episode-writer.ts';
import { channelSpec, temporaryFolder } from './fixtures/episodes.ts';

const TOPICS = Array.from({ length: 20 }, (_, i) => `/t${i}`);
const PAYLOAD_BYTES = 10_000;

/** 400 messages of 10 kB, each filled with its topic's number; one uncompressed chunk per 100. */
async function recording(file: string): Promise<void> {
  const writer = await EpisodeWriter.open(file, { compression: 'none' });
  for (const topic of TOPICS) writer.addChannel(channelSpec(topic));
  for (let sequence = 0; sequence < 400; sequence++) {
    const channelId = sequence % TOPICS.length;
    const data = new Uint8Array(PAYLOAD_BYTES).fill(channelId);
    const logTime = BigInt(sequence);
    await writer.write({ channelId, sequence, logTime, publishTime: logTime, data });
  }
  await writer.close();
}

/** Changes one byte in the first message that is filled with this topic's number. */
async function damage(file: string, topic: number): Promise<void> {
  await using handle = await open(file, 'r+');
  const bytes = await handle.readFile();
  const at = bytes.indexOf(new Uint8Array(1000).fill(topic));
  await handle.write(new Uint8Array([topic + 1]), 0, 1, at + 500);
}

async function sequencesOf(reader: EpisodeReader, options: Parameters<EpisodeReader['messages']>[0]) {
  const sequences: number[] = [];
  for await (const { sequence, data } of reader.messages(options)) {
    expect(data.byteLength).toBe(PAYLOAD_BYTES);
    sequences.push(sequence);
  }
  return sequences;
}

test('pickMessages() reads nothing but the wanted topic when its messages are few and large', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'take.mcap');
  await recording(file);
  await damage(file, 3);
  await using reader = await EpisodeReader.open(file);
  const expected = Array.from({ length: 20 }, (_, i) => 7 + 20 * i);
  // A whole chunk would fail: the damaged byte of the other topic is in its CRC.
  expect(await sequencesOf(reader, { topics: ['/t7'] })).toEqual(expected);
  expect(await sequencesOf(reader, { topics: ['/t7'], reverse: true })).toEqual(expected.toReversed());
  expect(await sequencesOf(reader, { topics: ['/t7'], startTime: 27n, endTime: 67n })).toEqual([27, 47]);
  await expect(sequencesOf(reader, {})).rejects.toThrow('CRC');
});

test('pickMessages() leaves chunks whole when most of them is wanted', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'take.mcap');
  await recording(file);
  await damage(file, 3);
  await using reader = await EpisodeReader.open(file);
  await expect(sequencesOf(reader, { topics: TOPICS.slice(5) })).rejects.toThrow('CRC');
});

test('pickMessages() gives the same messages as a whole read when topics lie side by side', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'take.mcap');
  await recording(file);
  await using reader = await EpisodeReader.open(file);
  const all = await sequencesOf(reader, {});
  const few = await sequencesOf(reader, { topics: ['/t3', '/t4', '/t11'] });
  expect(few).toEqual(all.filter((sequence) => [3, 4, 11].includes(sequence % 20)));
});
