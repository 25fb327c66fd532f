import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EpisodeReader } from './episode-reader.ts';
import { EpisodeWriter } from './episode-writer.ts';
import { FileBytes } from './file-bytes.ts';
import { channelSpec, seededRandom, temporaryFolder } from './fixtures/episodes.ts';
import { viewOf } from './mcap-decode.ts';
import { timeOrder } from './time-order.ts';

/** 2000 messages in some 100 chunks, each of which spans the whole recording; many share an instant. */
async function shuffled(file: string): Promise<{ sequence: number; logTime: bigint }[]> {
  const random = seededRandom(5);
  const writer = await EpisodeWriter.open(file, { chunkBytes: 2000, compression: 'lz4' });
  writer.addChannel(channelSpec('/a'));
  const sent: { sequence: number; logTime: bigint }[] = [];
  for (let sequence = 0; sequence < 2000; sequence++) {
    const logTime = BigInt(Math.floor(random() * 500));
    sent.push({ sequence, logTime });
    await writer.write({ channelId: 0, sequence, logTime, publishTime: 0n, data: new Uint8Array(64) });
  }
  await writer.close();
  return sent;
}

// With 5 kB it drops chunks and reads them again all the time; the order must not notice.
test.each([5000, 1e9])(
  'timeOrder() merges chunks that all overlap, keeping %d bytes',
  async (maxLoadedBytes) => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'take.mcap');
    const sent = await shuffled(path);
    const expected = sent.toSorted((a, b) => Number(a.logTime - b.logTime)).map(({ sequence }) => sequence);
    const { chunks } = await EpisodeReader.open(path).then(async (reader) => {
      await reader.close();
      return reader;
    });
    expect(chunks.length).toBeGreaterThan(80);
    const file = await FileBytes.open(path);
    for (const isReverse of [false, true]) {
      const sequences: number[] = [];
      for await (const { chunk, places, start, end } of timeOrder(file, chunks, {
        isReverse,
        maxLoadedBytes,
      })) {
        const run = Array.from(places.offsets.subarray(start, end), (at) =>
          viewOf(chunk).getUint32(at + 11, true),
        );
        sequences.push(...(isReverse ? run.reverse() : run));
      }
      expect(sequences).toEqual(isReverse ? expected.toReversed() : expected);
    }
    await file.close();
  },
);
