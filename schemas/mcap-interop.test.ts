import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { McapIndexedReader, McapStreamReader } from '@mcap/core';
import { decompressFrameSync } from 'lz4-napi';
import { expect, test } from 'vitest';
import type { Compression } from './chunk-codec.ts';
import { EpisodeWriter, type MessageToWrite } from './episode-writer.ts';
import { channelSpec, someMessages, temporaryFolder } from './fixtures/episodes.ts';

const TOPICS = ['/a', '/b', '/camera'];

async function writeEpisode(file: string, compression: Compression): Promise<void> {
  const writer = await EpisodeWriter.open(file, { compression, chunkBytes: 20_000 });
  writer.addChannel(channelSpec('/a'));
  writer.addChannel(channelSpec('/b'));
  writer.addChannel(channelSpec('/camera', 'sensor_msgs/msg/CompressedImage'));
  await writer.addMetadata('note', new Map([['text', 'äöü']]));
  for (const message of someMessages(3000)) await writer.write(message);
  const data = new TextEncoder().encode('kinescribe: 1\n');
  await writer.addAttachment({ name: 'contract.yaml', mediaType: 'application/yaml', logTime: 5n, data });
  await writer.close();
}

const decompressHandlers = {
  zstd: (data: Uint8Array) => new Uint8Array(zstdDecompressSync(data)),
  lz4: (data: Uint8Array) => new Uint8Array(decompressFrameSync(Buffer.from(data))),
};

test.each<Compression>(['none', 'lz4', 'zstd'])(
  'the indexed reader of @mcap/core reads our %s',
  async (compression) => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'take.mcap');
    await writeEpisode(path, compression);
    await using file = await open(path);
    const { size } = await file.stat();
    const reader = await McapIndexedReader.Initialize({
      readable: {
        size: async () => BigInt(size),
        read: async (offset, length) => {
          const buffer = new Uint8Array(Number(length));
          await file.read(buffer, 0, buffer.byteLength, Number(offset));
          return buffer;
        },
      },
      decompressHandlers,
    });
    expect([...reader.channelsById.values()].map(({ topic }) => topic)).toEqual(TOPICS);
    expect(reader.header.profile).toBe('ros2');
    expect(reader.statistics?.messageCount).toBe(3000n);
    const found: MessageToWrite[] = [];
    let lastTime = 0n;
    for await (const { channelId, sequence, logTime, publishTime, data } of reader.readMessages()) {
      expect(logTime).toBeGreaterThanOrEqual(lastTime);
      lastTime = logTime;
      found.push({ channelId, sequence, logTime, publishTime, data: Uint8Array.from(data) });
    }
    expect(found.sort((a, b) => a.sequence - b.sequence)).toEqual([...someMessages(3000)]);
    for await (const { name, data } of reader.readAttachments({ validateCrcs: true })) {
      expect([name, data.byteLength]).toEqual(['contract.yaml', 14]);
    }
    for await (const { metadata } of reader.readMetadata({ name: 'note' })) {
      expect(metadata).toEqual(new Map([['text', 'äöü']]));
    }
  },
);

test.each<Compression>(['none', 'lz4', 'zstd'])(
  'the stream reader of @mcap/core reads our %s',
  async (compression) => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'take.mcap');
    await writeEpisode(path, compression);
    const reader = new McapStreamReader({ decompressHandlers, validateCrcs: true });
    reader.append(await readFile(path));
    const counts: Record<string, number> = {};
    for (let record = reader.nextRecord(); record; record = reader.nextRecord()) {
      counts[record.type] = (counts[record.type] ?? 0) + 1;
    }
    expect(reader.done()).toBe(true);
    expect(counts).toMatchObject({
      Message: 3000,
      Attachment: 1,
      Metadata: 2,
      DataEnd: 1,
      Footer: 1,
      Statistics: 1,
    });
  },
);
