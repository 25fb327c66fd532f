import { readdir, readlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { FoxgloveClient as FoxgloveClientType } from '@foxglove/ws-protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import {
  every,
  type FixtureEpisode,
  fixtureEpisode,
  latchedMetadata,
  MILLI,
  START,
  writeFixture,
} from './episode.fixture.ts';
import {
  encodePlaybackControl,
  encodeServiceCallRequest,
  encodeSetParameters,
  encodeSubscribe,
  encodeUnsubscribe,
} from './protocol-client.ts';
import { type ReplayServer, type ReplayServerOptions, startReplayServer } from './server.ts';
import { EpisodeShelf } from './shelf.ts';
import { TestClient } from './test-client.fixture.ts';

const SDK = 'foxglove.sdk.v1';
const OLD = 'foxglove.websocket.v1';
const SCHEMA = { name: 'std_msgs/msg/String', encoding: 'ros2msg', data: Buffer.from('string data\n') };

let episode: FixtureEpisode;
let shelf: EpisodeShelf;
let server: ReplayServer;

beforeAll(async () => {
  episode = await fixtureEpisode({
    '/joints': { atMillis: every(10, 0, 1000) },
    '/camera': {
      atMillis: every(33, 0, 1000),
      schema: {
        name: 'sensor_msgs/msg/CompressedImage',
        encoding: 'ros2msg',
        data: Buffer.from('uint8[] data\n'),
      },
      messageEncoding: 'cdr',
      payload: () => new Uint8Array(60_000),
    },
    '/robot_description': { atMillis: [2], schema: SCHEMA, metadata: latchedMetadata(1) },
  });
  await writeFixture(join(episode.directory, 'arm-0002.mcap'), { '/other': { atMillis: [0, 10] } });
  shelf = await EpisodeShelf.of([episode.directory]);
  server = await startReplayServer(shelf, { port: 0 });
});

afterAll(async () => {
  await server.close();
  await episode[Symbol.asyncDispose]();
});

const url = (scheme: string, path = '/', { address } = server) =>
  `${scheme}://127.0.0.1:${address.port}${path}`;

describe('startReplayServer() greets', () => {
  test('a client of foxglove.sdk.v1 with playback control and the range', async () => {
    using client = new TestClient(url('ws'), [OLD, SDK]);
    const info = await client.next('serverInfo');
    expect(client.socket.protocol).toBe(SDK);
    expect(info.capabilities).toContain('playbackControl');
    expect(info.dataStartTime).toEqual({ sec: 1_700_000_000, nsec: 0 });
    expect(info.dataEndTime).toEqual({ sec: 1_700_000_000, nsec: 990_000_000 });
    expect((await client.next('advertise')).channels.map(({ topic }) => topic)).toEqual([
      '/joints',
      '/camera',
      '/robot_description',
    ]);
    expect((await client.next('advertiseServices')).services.map(({ name }) => name)).toEqual([
      '/replay/play',
      '/replay/pause',
      '/replay/seek',
      '/replay/speed',
      '/replay/open',
    ]);
  });

  test('a client of foxglove.websocket.v1 without them', async () => {
    using client = new TestClient(url('ws'), OLD);
    const info = await client.next('serverInfo');
    expect(client.socket.protocol).toBe(OLD);
    expect(info.capabilities).not.toContain('playbackControl');
    expect(info).not.toHaveProperty('dataStartTime');
  });

  test('with the episode that the address names', async () => {
    using client = new TestClient(url('ws', '/?episode=arm-0002'));
    expect((await client.next('serverInfo')).name).toBe('Kinescribe: arm-0002');
    expect((await client.next('advertise')).channels.map(({ topic }) => topic)).toEqual(['/other']);
  });
});

describe('a replay client', () => {
  test('gets latched and latest messages when it subscribes while paused', async () => {
    using client = new TestClient(url('ws'));
    await client.subscribe('/joints', '/robot_description');
    const first = await client.next('messageData');
    const second = await client.next('messageData');
    expect([first, second].map(({ subscriptionId }) => subscriptionId).sort()).toEqual([1, 2]);
  });

  test('plays, seeks and is told when it ends, with the time before every message', async () => {
    using client = new TestClient(url('ws'));
    await client.subscribe('/joints');
    client.socket.send(
      encodePlaybackControl({
        command: 'play',
        speed: 20,
        seekTime: START + 500n * MILLI,
        requestId: 'r',
      }),
    );
    const answer = await client.next('playbackState', ({ requestId }) => requestId === 'r');
    expect(answer).toMatchObject({ status: 'playing', didSeek: true, currentTime: START + 500n * MILLI });
    await client.next('playbackState', ({ status }) => status === 'ended');
    const after = client.frames.slice(client.frames.indexOf(answer));
    const messages = after.filter((frame) => frame.op === 'messageData');
    expect(messages.map(({ logTime }) => Number(logTime - START) / 1e6)).toEqual(every(10, 500, 1000));
    let time = 0n;
    for (const frame of after) {
      if (frame.op === 'time') time = frame.time;
      if (frame.op === 'messageData') expect(time).toBe(frame.logTime);
    }
  });

  test('of the older subprotocol seeks by service, forward too, and sees the time step back once', async () => {
    using client = new TestClient(url('ws'), OLD);
    await client.subscribe('/joints');
    await client.next('messageData');
    const call = { serviceId: 3, callId: 7, encoding: 'json', payload: Buffer.from('{"offset_secs":0.505}') };
    const begin = client.frames.length;
    client.socket.send(encodeServiceCallRequest(call));
    const { callId, payload } = await client.next('serviceCallResponse');
    expect(callId).toBe(7);
    expect(JSON.parse(Buffer.from(payload).toString())).toEqual({ status: 'paused', offset_secs: 0.505 });
    expect((await client.next('messageData')).logTime).toBe(START + 500n * MILLI);
    const times = client.frames.slice(begin).flatMap((frame) => (frame.op === 'time' ? [frame.time] : []));
    expect(times).toEqual([START - 1n, START + 505n * MILLI]);
    expect(client.frames.some(({ op }) => op === 'playbackState')).toBe(false);
  });

  test('without a playback bar plays at once and over again when its address says so', async () => {
    using client = new TestClient(url('ws', '/?episode=arm-0002&play'), OLD);
    await client.subscribe('/other');
    for (let round = 0; round < 2; round++) {
      await client.next('messageData', ({ logTime }) => logTime === START);
      await client.next('messageData', ({ logTime }) => logTime === START + 10n * MILLI);
    }
  });

  test('reads, sets and watches the parameters of the playback', async () => {
    using client = new TestClient(url('ws'), OLD);
    client.socket.once('open', () => {
      client.socket.send('{"op":"subscribeParameterUpdates","parameterNames":["/replay.speed"]}');
      client.socket.send(encodeSetParameters([{ name: '/replay.speed', value: 4 }], 'set'));
    });
    const watched = await client.next('parameterValues', ({ id }) => id === undefined);
    expect(watched.parameters).toEqual([{ name: '/replay.speed', type: 'float64', value: 4 }]);
    client.socket.send('{"op":"getParameters","parameterNames":[],"id":"all"}');
    const all = await client.next('parameterValues', ({ id }) => id === 'all');
    expect(all.parameters.map(({ name }) => name)).toContain('/replay.offset_secs');
  });

  test.each<[string, string | Uint8Array, string]>([
    ['JSON that is none', 'garbage', 'Text frame is not JSON'],
    ['a binary frame of no meaning', Uint8Array.of(99, 1, 2), 'Binary frame has unknown opcode 99'],
    ['an unknown channel', encodeSubscribe([{ id: 1, channelId: 999 }]), 'No channel has id 999'],
    ['an unknown subscription', encodeUnsubscribe([5]), 'No subscription has id 5'],
  ])('is told so and stays connected when it sends %s', async (_, frame, message) => {
    using client = new TestClient(url('ws'));
    await client.next('advertiseServices');
    client.socket.send(frame);
    expect((await client.next('status')).message).toBe(message);
    client.socket.send('{"op":"getParameters","parameterNames":[]}');
    await client.next('parameterValues');
  });

  test('gets a failure for a service call that makes no sense', async () => {
    using client = new TestClient(url('ws'));
    await client.next('advertiseServices');
    for (const [serviceId, body] of [
      [3, '{"offset_secs":"soon"}'],
      [77, '{}'],
    ] as const) {
      client.socket.send(
        encodeServiceCallRequest({ serviceId, callId: 1, encoding: 'json', payload: Buffer.from(body) }),
      );
      expect(await client.next('serviceCallFailure')).toMatchObject({ serviceId, callId: 1 });
    }
  });

  test('that reads nothing loses pictures, is told so, and costs bounded memory', async () => {
    await using slow = await serverWith({ highWaterBytes: 200_000 });
    using client = new TestClient(url('ws', '/', slow));
    await client.subscribe('/camera', '/joints');
    await client.next('messageData');
    client.socket.pause();
    // Loopback takes some megabytes before it pushes back: play it over and over.
    for (let round = 0; round < 12; round++) {
      client.socket.send(
        encodePlaybackControl({ command: 'play', speed: 50, seekTime: START, requestId: `${round}` }),
      );
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    client.socket.resume();
    const status = await client.next('status');
    expect(status).toMatchObject({ level: 1, message: 'Send buffer limit reached' });
    client.socket.send('{"op":"getParameters","parameterNames":["/replay.left_out"],"id":"d"}');
    const { parameters } = await client.next('parameterValues');
    expect(parameters[0]!.value).toEqual({ '/camera': expect.any(Number) });
  });
});

describe('a client that hangs up in the middle of playing', () => {
  test('is no trouble that anybody is told of, and frees the file', async () => {
    const lines: string[] = [];
    await using played = await serverWith({ notice: (line) => lines.push(line) });
    for (let round = 0; round < 5; round++) {
      using client = new TestClient(url('ws', '/', played));
      await client.subscribe('/camera', '/joints');
      client.socket.send(encodePlaybackControl({ command: 'play', speed: 50, requestId: 'r' }));
      await client.next('messageData', ({ logTime }) => logTime > START + 100n * MILLI);
    }
    const { file } = (await shelf.find())!;
    const openFiles = async () => {
      const links = await readdir('/proc/self/fd').then((names) =>
        Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => ''))),
      );
      return links.filter((link) => link === file).length;
    };
    if (process.platform === 'linux') await expect.poll(openFiles).toBe(1); // the fixture's own
    expect(lines).toEqual([]);
  });
});

describe('@foxglove/ws-protocol FoxgloveClient', () => {
  test('connects, subscribes and receives', async () => {
    // Its ESM entry has no named exports that Node sees.
    const protocol: unknown = createRequire(import.meta.url)('@foxglove/ws-protocol');
    const { FoxgloveClient } = protocol as { FoxgloveClient: typeof FoxgloveClientType };
    const client = new FoxgloveClient({ ws: new WebSocket(url('ws'), [OLD]) as never });
    const message = Promise.withResolvers<unknown>();
    client.on('error', message.reject);
    client.on('advertise', (channels) => client.subscribe(channels[0]!.id));
    client.on('message', ({ data }) =>
      message.resolve(JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString())),
    );
    expect(await message.promise).toEqual({ n: 0 });
    client.close();
  });
});

async function serverWith(options: ReplayServerOptions): Promise<ReplayServer & AsyncDisposable> {
  const started = await startReplayServer(shelf, { port: 0, ...options });
  return { ...started, [Symbol.asyncDispose]: () => started.close() };
}

describe('limits', () => {
  test('cut off a client that sends too large a frame', async () => {
    using client = new TestClient(url('ws'));
    await client.next('serverInfo');
    client.socket.send(Buffer.alloc((1 << 20) + 1));
    expect(await client.closed()).toBe(1009);
  });

  test('refuse clients above the number, and let them in again when others leave', async () => {
    await using small = await serverWith({ maxClients: 2 });
    using first = new TestClient(url('ws', '/', small));
    using second = new TestClient(url('ws', '/', small));
    await Promise.all([first.next('serverInfo'), second.next('serverInfo')]);
    using third = new TestClient(url('ws', '/', small));
    expect(await third.refusal()).toBe(503);
    first.socket.close();
    await first.closed();
    using fourth = new TestClient(url('ws', '/', small));
    await fourth.next('serverInfo');
  });
});

describe('close()', () => {
  test('says goodbye to clients and frees the port', async () => {
    const started = await startReplayServer(shelf, { port: 0 });
    const client = new TestClient(url('ws', '/', started));
    await client.next('serverInfo');
    const closed = client.closed();
    await started.close();
    expect(await closed).toBe(1001);
    const again = await startReplayServer(shelf, { port: started.address.port });
    await again.close();
  });

  test('startReplayServer() says which port is taken', async () => {
    await expect(startReplayServer(shelf, { port: server.address.port })).rejects.toThrow(/Another program/);
  });
});
