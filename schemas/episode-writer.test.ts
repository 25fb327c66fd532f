import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { EpisodeReader } from './episode-reader.ts';
import { EpisodeWriter } from './episode-writer.ts';
import { channelSpec, someMessages, temporaryFolder } from './fixtures/episodes.ts';
import { examineEpisode } from './recovery.ts';

test('a chunk is closed by time: a lone message is in the file though nothing follows it', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'take.mcap');
  const writer = await EpisodeWriter.open(file, { chunkSecs: 0.05 });
  writer.addChannel(channelSpec('/a'));
  for (const message of someMessages(1)) await writer.write(message);
  // No absolute time is asserted: it must get there by itself, however long a busy machine takes.
  while ((await examineEpisode(`${file}.part`)).messageCount === 0) await sleep(10);
  await writer.abort();
});

test('write() asks to wait at the limit and lets go when there is room', async () => {
  await using folder = await temporaryFolder();
  const limit = 100_000;
  const writer = await EpisodeWriter.open(join(folder.path, 'take.mcap'), { maxBufferedBytes: limit });
  writer.addChannel(channelSpec('/a'));
  let [waits, inOneGo, mostInOneGo] = [0, 0, 0];
  for (const message of someMessages(5000, { channels: 1, payloadBytes: 1000 })) {
    const room = writer.write(message);
    inOneGo += message.data.byteLength;
    mostInOneGo = Math.max(mostInOneGo, inOneGo);
    if (!room) continue;
    waits++;
    inOneGo = 0;
    await room;
  }
  expect(waits).toBeGreaterThan(10);
  expect(mostInOneGo).toBeLessThan(limit + 2000);
  expect((await writer.close()).messageCount).toBe(5000);
});

test('write() copies the payload before it returns', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'take.mcap');
  const writer = await EpisodeWriter.open(file, { compression: 'none' });
  writer.addChannel(channelSpec('/a'));
  const data = new Uint8Array([1, 2, 3]);
  for (let sequence = 0; sequence < 3; sequence++) {
    data[0] = sequence;
    const room = writer.write({ channelId: 0, sequence, logTime: BigInt(sequence), publishTime: 0n, data });
    expect(room).toBeUndefined();
  }
  data.fill(9);
  await writer.close();
  await using reader = await EpisodeReader.open(file);
  for await (const message of reader.messages()) {
    expect([...message.data]).toEqual([message.sequence, 2, 3]);
  }
});

test('pictures that are compressed already are stored, everything else is compressed', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'take.mcap');
  const writer = await EpisodeWriter.open(file, { compression: 'zstd' });
  const types = ['sensor_msgs/msg/JointState', 'sensor_msgs/msg/CompressedImage', 'foxglove.CompressedVideo'];
  for (const [i, type] of types.entries()) writer.addChannel(channelSpec(`/t${i}`, type));
  for (const message of someMessages(30)) await writer.write(message);
  await writer.close();
  await using reader = await EpisodeReader.open(file);
  const channels = reader.chunks.map(({ compression, messageIndexOffsets }) => [
    compression,
    [...messageIndexOffsets.keys()],
  ]);
  expect(Object.fromEntries(channels)).toEqual({ zstd: [0], '': [1, 2] });
});

test('a message larger than a chunk gets a chunk of its own', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'take.mcap');
  const writer = await EpisodeWriter.open(file, { chunkBytes: 1000 });
  writer.addChannel(channelSpec('/a'));
  const sizes = [10, 50_000, 20, 0, 999, 30];
  for (const [sequence, size] of sizes.entries()) {
    const data = new Uint8Array(size).fill(sequence);
    await writer.write({ channelId: 0, sequence, logTime: BigInt(sequence), publishTime: 0n, data });
  }
  await writer.close();
  await using reader = await EpisodeReader.open(file);
  const read: number[] = [];
  for await (const { data, sequence } of reader.messages()) {
    expect(data.every((byte) => byte === sequence)).toBe(true);
    read.push(data.byteLength);
  }
  expect(read).toEqual(sizes);
});

test('an attachment that is not as long as it says ends the take, and the messages stay', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'take.mcap');
  const writer = await EpisodeWriter.open(file);
  writer.addChannel(channelSpec('/a'));
  for (const message of someMessages(100, { channels: 1 })) await writer.write(message);
  await writer.flush();
  async function* short() {
    yield new Uint8Array(10);
  }
  const attachment = { name: 'mesh', mediaType: '', logTime: 0n, dataBytes: 20, data: short() };
  await expect(writer.addAttachment(attachment)).rejects.toMatchObject({ code: 'RECORD' });
  await writer.close();
  await using reader = await EpisodeReader.open(file);
  expect([reader.messageCount, reader.attachmentIndexes.length]).toEqual([100, 0]);
});

test('misuse is told at once', async () => {
  await using folder = await temporaryFolder();
  const writer = await EpisodeWriter.open(join(folder.path, 'take.mcap'));
  const [message] = someMessages(1);
  expect(() => writer.write(message!)).toThrow(RangeError);
  await writer.close();
  expect(() => writer.write(message!)).toThrow(TypeError);
});
