import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { EpisodeWriter } from '../schemas/episode-writer.ts';
import { benchChannel, benchPayloads } from '../schemas/fixtures/bench-load.ts';
import type { Usage } from './bench-server.fixture.ts';
import { encodePlaybackControl, encodeSubscribe } from './protocol-client.ts';
import { decodeServerBinary } from './protocol-server.ts';

/**
 * `node viewer/bridge.bench.ts [--gigabytes 10] [--directory /tmp]`: what a replay of 20 topics costs, seeking and
 * playing, in an episode of 100 MB and, where asked for, in one of that many gigabytes. Needs a quiet machine; the
 * server has a process of its own.
 */
const { values: flags } = parseArgs({
  options: { gigabytes: { type: 'string' }, directory: { type: 'string', default: tmpdir() } },
});

const START = 1_700_000_000_000_000_000n;
const CAMERAS = 3;
const TOPICS = 20;
const STATE_BYTES = 200;
const DURATION_SECS = 300;
const SEEKS = 200;
const PLAY_SECS = 5;

/** Three cameras at 30 Hz as large as it takes, seventeen states at 100 Hz, compressed as takes are. */
async function writeEpisode(file: string, bytes: number): Promise<void> {
  const pictureBytes = Math.round(bytes / (CAMERAS * 30 * DURATION_SECS));
  const load = { messageCount: 0, channelCount: 0, noiseBits: 8 };
  const pictures = benchPayloads({ ...load, payloadBytes: pictureBytes });
  const states = benchPayloads({ ...load, payloadBytes: STATE_BYTES, noiseBits: 4 });
  const writer = await EpisodeWriter.open(file, { durability: 'none' });
  const channels = Array.from({ length: TOPICS }, (_, index) => writer.addChannel(benchChannel(index)));
  for (let tick = 0; tick < DURATION_SECS * 300; tick++) {
    const logTime = START + (BigInt(tick) * 1_000_000_000n) / 300n;
    for (const [index, channelId] of channels.entries()) {
      const isCamera = index < CAMERAS;
      if (tick % (isCamera ? 10 : 3) !== 0) continue;
      const list = isCamera ? pictures : states;
      const data = list[(tick + index) % list.length]!;
      await writer.write({ channelId, sequence: tick, logTime, publishTime: logTime, data });
    }
  }
  await writer.close();
}

interface BenchServer extends AsyncDisposable {
  readonly address: string;
  usage(): Promise<Usage>;
}

async function startServer(file: string): Promise<BenchServer> {
  const child: ChildProcess = fork(join(import.meta.dirname, 'bench-server.fixture.ts'), [file]);
  const [port] = (await once(child, 'message')) as [number];
  return {
    address: `ws://127.0.0.1:${port}/`,
    usage: async () => {
      child.send('usage');
      const [usage] = (await once(child, 'message')) as [Usage];
      return usage;
    },
    [Symbol.asyncDispose]: async () => {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

/** Counts what it gets; everything is subscribed. */
class BenchClient {
  readonly socket: WebSocket;
  messages = 0;
  bytes = 0;
  #seek: { requestId: string; left: number; done: () => void } | undefined;

  constructor(address: string) {
    this.socket = new WebSocket(address, 'foxglove.sdk.v1');
    this.socket.binaryType = 'nodebuffer';
    this.socket.on('message', (frame: Buffer, isBinary: boolean) => {
      if (!isBinary) return;
      this.bytes += frame.byteLength;
      if (frame[0] === 1) this.#message();
      if (frame[0] !== 5 || !this.#seek) return;
      const state = decodeServerBinary(frame);
      if (state?.op === 'playbackState' && state.requestId === this.#seek.requestId) this.#seek.left = TOPICS;
    });
  }

  #message(): void {
    this.messages++;
    if (!this.#seek || --this.#seek.left !== 0) return;
    this.#seek.done();
    this.#seek = undefined;
  }

  async open(): Promise<void> {
    await once(this.socket, 'open');
    const ids = Array.from({ length: TOPICS }, (_, index) => index + 1);
    this.socket.send(encodeSubscribe(ids.map((id) => ({ id, channelId: id }))));
    while (this.messages < TOPICS) await delay(5);
  }

  /** Milliseconds from the wish to the last message that belongs to it. */
  async seek(seekTime: bigint, requestId: string): Promise<number> {
    const begin = performance.now();
    await new Promise<void>((done) => {
      this.#seek = { requestId, left: Number.POSITIVE_INFINITY, done };
      this.socket.send(encodePlaybackControl({ command: 'pause', speed: 1, seekTime, requestId }));
    });
    return performance.now() - begin;
  }

  play(speed: number): void {
    const wish = { command: 'play', speed, seekTime: START, requestId: 'play' } as const;
    this.socket.send(encodePlaybackControl(wish));
  }
}

async function clientsOf({ address }: BenchServer, count: number): Promise<readonly BenchClient[]> {
  const clients = Array.from({ length: count }, () => new BenchClient(address));
  await Promise.all(clients.map((client) => client.open()));
  return clients;
}

async function benchSeeks(server: BenchServer): Promise<string> {
  const [client] = (await clientsOf(server, 1)) as [BenchClient];
  const millis: number[] = [];
  let random = 1;
  for (let n = 0; n < SEEKS; n++) {
    random = (random * 48_271) % 2_147_483_647;
    const offset = (BigInt(random) * BigInt(DURATION_SECS) * 1_000_000_000n) / 2_147_483_647n;
    millis.push(await client.seek(START + offset, `seek ${n}`));
  }
  client.socket.terminate();
  millis.sort((a, b) => a - b);
  const at = (share: number) => `${millis[Math.floor(share * (SEEKS - 1))]!.toFixed(1)} ms`;
  return `p50 ${at(0.5)}, p95 ${at(0.95)}, worst ${at(1)}`;
}

async function benchPlay(server: BenchServer, count: number): Promise<string> {
  const clients = await clientsOf(server, count);
  const before = await server.usage();
  const counted = () =>
    clients.reduce((sum, { messages, bytes }) => [sum[0]! + messages, sum[1]! + bytes], [0, 0]);
  const [messages = 0, bytes = 0] = counted();
  for (const client of clients) client.play(1000);
  await delay(PLAY_SECS * 1000);
  const [messagesAfter = 0, bytesAfter = 0] = counted();
  const { cpuSecs } = await server.usage();
  for (const { socket } of clients) socket.terminate();
  const rate = Math.round((messagesAfter - messages) / PLAY_SECS);
  const speed = ((bytesAfter - bytes) / PLAY_SECS / 1e6).toFixed(0);
  const load = ((cpuSecs - before.cpuSecs) / PLAY_SECS).toFixed(2);
  return `${rate} messages/s, ${speed} MB/s, ${load} processors`;
}

async function benchStalled(server: BenchServer): Promise<string> {
  const [reading] = (await clientsOf(server, 1)) as [BenchClient];
  reading.play(1);
  await delay(2000);
  const before = await server.usage();
  const [stalled] = (await clientsOf(server, 1)) as [BenchClient];
  stalled.socket.pause();
  stalled.play(100);
  const messages = reading.messages;
  await delay(10_000);
  const after = await server.usage();
  const rate = Math.round((reading.messages - messages) / 10);
  reading.socket.terminate();
  stalled.socket.terminate();
  const grown = (after.rssBytes - before.rssBytes) / 1e6;
  return `server grew by ${grown.toFixed(0)} MB in 10 s; the other client got ${rate} messages/s of 1790`;
}

const directory = await mkdtemp(join(flags.directory, 'kinescribe-bridge-'));
try {
  const sizes = [100e6, ...(flags.gigabytes ? [Number(flags.gigabytes) * 1e9] : [])];
  for (const bytes of sizes) {
    const file = join(directory, `${bytes}.mcap`);
    await writeEpisode(file, bytes);
    const { size } = await stat(file);
    await using reader = await EpisodeReader.open(file);
    console.log(`\n${(size / 1e9).toFixed(2)} GB, ${TOPICS} topics, ${reader.messageCount} messages`);
    await using server = await startServer(file);
    console.log(`  ${SEEKS} seeks        ${await benchSeeks(server)}`);
    console.log(`  one client       ${await benchPlay(server, 1)}`);
    console.log(`  ten clients      ${await benchPlay(server, 10)}`);
    console.log(`  a stalled client ${await benchStalled(server)}`);
    await rm(file);
  }
} finally {
  await rm(directory, { recursive: true });
}
