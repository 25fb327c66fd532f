import { execFileSync } from 'node:child_process';
import { open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import wasmLz4 from '@foxglove/wasm-lz4';
import * as wasmZstd from '@foxglove/wasm-zstd';
import { McapIndexedReader, type McapTypes, McapWriter } from '@mcap/core';

import { compressFrameSync, decompressFrameSync } from 'lz4-napi';
import type { Compression } from './chunk-codec.ts';
import { EpisodeReader } from './episode-reader.ts';
import { EpisodeWriter } from './episode-writer.ts';
import { type BenchLoad, benchChannel, benchMessages, benchPayloads } from './fixtures/bench-load.ts';

/**
 * `node schemas/episode-file.bench.ts`: writer and reader against `@mcap/core`, turn by turn in one run, and
 * against the C++ library when CPP_BENCH names a program that takes
 *   write FILE none|lz4|zstd COUNT BYTES NOISE_BITS   (chunks of 1 MiB, zstd level 1, lz4 fastest, 4 channels)
 *   read FILE
 *   topic FILE TOPIC START END
 * makes the messages of fixtures/bench-load.ts, and prints the seconds it took, by the clock and of processor.
 */
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const CPP = process.env.CPP_BENCH;
const directory = process.env.BENCH_DIRECTORY ?? tmpdir();
const pathOf = (name: string) => join(directory, `kinescribe-bench-${process.pid}-${name}.mcap`);

/** Decompressors that @mcap/core is given: those of its makers, and the native ones that we use. */
type Codecs = 'wasm' | 'native';
const DECOMPRESS_HANDLERS: Readonly<Record<Codecs, McapTypes.DecompressHandlers>> = {
  wasm: {
    zstd: (data, size) => wasmZstd.decompress(data, Number(size)),
    lz4: (data, size) => wasmLz4(data, Number(size)),
  },
  native: {
    zstd: (data, size) => zstdDecompressSync(data, { chunkSize: Number(size) }),
    lz4: (data) => decompressFrameSync(Buffer.from(data)),
  },
};
await Promise.all([wasmZstd.isLoaded, wasmLz4.isLoaded]);
const COMPRESS: Record<Compression, ((data: Uint8Array) => Uint8Array) | undefined> = {
  none: undefined,
  lz4: (data) => compressFrameSync(Buffer.from(data)),
  zstd: (data) => zstdCompressSync(data, { chunkSize: data.byteLength + 8192, params: { 100: 1 } }),
};

/** Seconds by the clock, and of processor in all threads: the latter hardly minds what else is running. */
interface Cost {
  readonly wall: number;
  readonly cpu: number;
}
type Contender = () => Promise<Cost>;

async function cost(task: () => Promise<unknown>): Promise<Cost> {
  const start = performance.now();
  const before = process.cpuUsage();
  await task();
  const { user, system } = process.cpuUsage(before);
  return { wall: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 };
}

function cpp(...args: string[]): Contender | undefined {
  if (!CPP) return undefined;
  return async () => {
    const [wall, cpu] = execFileSync(CPP, args, { encoding: 'utf8' }).split(' ').map(Number);
    return { wall: wall!, cpu: cpu! };
  };
}

/** Runs the contenders turn by turn and prints medians, and how many times as fast as each peer ours is. */
async function compare(name: string, megabytes: number, contenders: Record<string, Contender | undefined>) {
  const costs = new Map<string, Cost[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [peer, contender] of Object.entries(contenders)) {
      if (contender) costs.set(peer, [...(costs.get(peer) ?? []), await contender()]);
    }
  }
  const medians = new Map(
    costs
      .entries()
      .map(([peer, all]) => [
        peer,
        { wall: median(all.map(({ wall }) => wall)), cpu: median(all.map(({ cpu }) => cpu)) },
      ]),
  );
  const ours = medians.get('ours')!;
  console.log(name);
  for (const [peer, { wall, cpu }] of medians) {
    const rate = megabytes > 0 ? `, ${(megabytes / wall).toFixed(0)} MB/s` : '';
    const ratio =
      peer === 'ours'
        ? ''
        : `; ours ÷ it: ${(wall / ours.wall).toFixed(2)}, per CPU ${(cpu / ours.cpu).toFixed(2)}`;
    console.log(`  ${peer}: ${(wall * 1e3).toFixed(1)} ms, CPU ${(cpu * 1e3).toFixed(1)} ms${rate}${ratio}`);
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

type Payloads = readonly Uint8Array[];

async function writeOurs(
  file: string,
  load: BenchLoad,
  compression: Compression,
  payloads: Payloads,
): Promise<void> {
  const writer = await EpisodeWriter.open(file, { compression, durability: 'none' });
  for (let i = 0; i < load.channelCount; i++) writer.addChannel(benchChannel(i));
  for (const message of benchMessages(load, payloads)) {
    const room = writer.write(message);
    if (room) await room;
  }
  await writer.close();
}

async function writeCore(
  file: string,
  load: BenchLoad,
  compression: Compression,
  payloads: Payloads,
): Promise<void> {
  await using handle = await open(file, 'w');
  let position = 0n;
  const compress = COMPRESS[compression];
  const writer = new McapWriter({
    writable: {
      position: () => position,
      write: async (buffer) => {
        await handle.write(buffer);
        position += BigInt(buffer.byteLength);
      },
    },
    ...(compress && {
      compressChunk: (data: Uint8Array) => ({ compression, compressedData: compress(data) }),
    }),
  });
  await writer.start({ profile: 'ros2', library: 'bench' });
  for (let i = 0; i < load.channelCount; i++) {
    const { schema, ...channel } = benchChannel(i);
    const schemaId = await writer.registerSchema(schema!);
    await writer.registerChannel({ ...channel, schemaId, metadata: new Map() });
  }
  for (const message of benchMessages(load, payloads)) await writer.addMessage(message);
  await writer.end();
}

async function openCore(file: string, codecs: Codecs) {
  const handle = await open(file, 'r');
  const { size } = await handle.stat();
  const reader = await McapIndexedReader.Initialize({
    decompressHandlers: DECOMPRESS_HANDLERS[codecs],
    readable: {
      size: async () => BigInt(size),
      read: async (offset, length) => {
        const buffer = new Uint8Array(Number(length));
        await handle.read(buffer, 0, buffer.byteLength, Number(offset));
        return buffer;
      },
    },
  });
  return { reader, [Symbol.asyncDispose]: () => handle.close() };
}

/** The same reading by @mcap/core with either kind of decompressors. */
function eachCore(file: string, read: (reader: McapIndexedReader) => Promise<void>) {
  const contender = (codecs: Codecs): Contender => {
    return () =>
      cost(async () => {
        await using core = await openCore(file, codecs);
        await read(core.reader);
      });
  };
  return { 'core, wasm': contender('wasm'), 'core, native codecs': contender('native') };
}

async function benchWrite(name: string, load: BenchLoad, compression: Compression): Promise<void> {
  const file = pathOf('write');
  const payloads = benchPayloads(load);
  const { messageCount, payloadBytes, noiseBits } = load;
  const afresh =
    (write: typeof writeOurs): Contender =>
    async () => {
      await rm(file, { force: true });
      return cost(() => write(file, load, compression, payloads));
    };
  await compare(
    `write ${name}, ${compression}, ${messageCount} × ${payloadBytes} B`,
    (messageCount * payloadBytes) / 1e6,
    {
      ours: afresh(writeOurs),
      core: afresh(writeCore),
      cpp: cpp('write', file, compression, `${messageCount}`, `${payloadBytes}`, `${noiseBits}`),
    },
  );
  await rm(file);
}

async function benchRead(name: string, load: BenchLoad, compression: Compression): Promise<void> {
  const file = pathOf('read');
  const { messageCount, payloadBytes } = load;
  await writeOurs(file, load, compression, benchPayloads(load));
  let sum = 0;
  await compare(
    `read ${name}, ${compression}, ${messageCount} × ${payloadBytes} B`,
    (messageCount * payloadBytes) / 1e6,
    {
      ours: () =>
        cost(async () => {
          await using reader = await EpisodeReader.open(file);
          for await (const { data } of reader.messages()) sum += data[0]!;
        }),
      ...eachCore(file, async (reader) => {
        for await (const { data } of reader.readMessages()) sum += data[0]!;
      }),
      cpp: cpp('read', file),
    },
  );
  if (sum === 0) throw new RangeError('nothing was read');
  await rm(file);
}

/** 20 topics of 10 kB messages, 2 GB, 200 s. */
const LONG: BenchLoad = { messageCount: 200_000, payloadBytes: 10_000, channelCount: 20, noiseBits: 4 };

async function benchSeek(compression: Compression): Promise<void> {
  const file = pathOf('seek');
  await writeOurs(file, LONG, compression, benchPayloads(LONG));
  const startTime = 1_700_000_100_000_000_000n;
  const endTime = startTime + 5_000_000_000n;
  let count = 0;
  await compare(
    `1 of 20 topics over 5 s of ${((await stat(file)).size / 1e9).toFixed(1)} GB, ${compression}`,
    0,
    {
      ours: () =>
        cost(async () => {
          await using reader = await EpisodeReader.open(file);
          for await (const { sequence } of reader.messages({ topics: ['/t7'], startTime, endTime }))
            count += sequence;
        }),
      ...eachCore(file, async (reader) => {
        const range = { startTime, endTime: endTime - 1n };
        for await (const _ of reader.readMessages({ topics: ['/t7'], ...range })) count++;
      }),
      cpp: cpp('topic', file, '/t7', `${startTime}`, `${endTime}`),
    },
  );
  const topics = Array.from({ length: 20 }, (_, i) => `/t${i}`);
  await compare(`last before t for 20 topics, ${compression}`, 0, {
    ours: () =>
      cost(async () => {
        await using reader = await EpisodeReader.open(file);
        count += (await reader.latestBefore(startTime, topics)).size;
      }),
    ...eachCore(file, async (reader) => {
      for (const topic of topics) {
        const options = { topics: [topic], endTime: startTime, reverse: true };
        for await (const _ of reader.readMessages(options)) {
          count++;
          break;
        }
      }
    }),
  });
  if (count === 0) throw new RangeError('nothing was read');
  await rm(file);
}

const JPEGS: BenchLoad = { messageCount: 3000, payloadBytes: 60_000, channelCount: 4, noiseBits: 8 };
const RAW: BenchLoad = { messageCount: 300, payloadBytes: 921_600, channelCount: 4, noiseBits: 4 };
const STATES: BenchLoad = { messageCount: 400_000, payloadBytes: 200, channelCount: 4, noiseBits: 4 };

const BENCHES: Readonly<Record<string, () => Promise<void>>> = {
  'write-jpegs': () => benchWrite('JPEGs', JPEGS, 'none'),
  'write-raw-zstd': () => benchWrite('raw images', RAW, 'zstd'),
  'write-raw-lz4': () => benchWrite('raw images', RAW, 'lz4'),
  'write-states': () => benchWrite('1 kHz states', STATES, 'lz4'),
  'read-raw': () => benchRead('raw images', RAW, 'zstd'),
  'read-jpegs': () => benchRead('JPEGs', JPEGS, 'none'),
  'read-states': () => benchRead('1 kHz states', STATES, 'zstd'),
  'seek-zstd': () => benchSeek('zstd'),
  'seek-none': () => benchSeek('none'),
};
// Names on the command line pick some of them.
for (const [name, bench] of Object.entries(BENCHES)) {
  if (process.argv.length === 2 || process.argv.includes(name)) await bench();
}
