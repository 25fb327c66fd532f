import { execFileSync, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { FoxgloveClient as FoxgloveClientType } from '@foxglove/ws-protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { readLabels } from '../schemas/labels.ts';
import type { AddedMessage, ReplayAddition } from '../schemas/replay-addition.ts';
import { every, type FixtureEpisode, fixtureEpisode, MILLI, START, writeFixture } from './episode.fixture.ts';
import { encodePlaybackControl, encodeServiceCallRequest, encodeSetParameters } from './protocol-client.ts';
import { type ReplayServer, type ReplayServerOptions, startReplayServer } from './server.ts';
import { EpisodeShelf } from './shelf.ts';
import { TestClient } from './test-client.fixture.ts';

const URDF = new TextEncoder().encode('<robot/>');
let episode: FixtureEpisode;
let shelf: EpisodeShelf;
let server: ReplayServer;

beforeAll(async () => {
  episode = await fixtureEpisode({ '/joints': { atMillis: every(10, 0, 1000) } }, (writer) =>
    writer.addAttachment({ name: 'arm.urdf', mediaType: 'text/xml', logTime: START, data: URDF }),
  );
  await writeFixture(join(episode.directory, 'arm-0002.mcap'), { '/other': { atMillis: [0, 10] } });
  shelf = await EpisodeShelf.of([episode.directory]);
  server = await startReplayServer(shelf, { port: 0 });
});

afterAll(async () => {
  await server.close();
  await episode[Symbol.asyncDispose]();
});

const url = ({ address }: ReplayServer = server, path = '/') => `ws://127.0.0.1:${address.port}${path}`;

async function serverWith(options: ReplayServerOptions): Promise<ReplayServer & AsyncDisposable> {
  const started = await startReplayServer(shelf, { port: 0, ...options });
  return { ...started, [Symbol.asyncDispose]: () => started.close() };
}

const seek = (millis: number, requestId = 'seek') =>
  encodePlaybackControl({
    command: 'pause',
    speed: 1,
    seekTime: START + BigInt(millis) * MILLI,
    requestId,
  });

describe('a client switches the episode', () => {
  test.each<[string, string | Uint8Array]>([
    [
      'by service',
      encodeServiceCallRequest({
        serviceId: 5,
        callId: 1,
        encoding: 'json',
        payload: Buffer.from('{"episode":"arm-0002"}'),
      }),
    ],
    ['by parameter', encodeSetParameters([{ name: '/replay.episode', value: 'arm-0002' }])],
  ])('%s, on the same connection and as a new session', async (_, wish) => {
    using client = new TestClient(url());
    const before = await client.next('serverInfo');
    await client.subscribe('/joints');
    await client.next('messageData');
    client.socket.send(wish);
    expect((await client.next('unadvertise')).channelIds).toEqual([1]);
    const after = await client.next('serverInfo');
    expect(after.name).toBe('Kinescribe: arm-0002');
    expect(after.sessionId).not.toBe(before.sessionId);
    await client.subscribe('/other');
    expect((await client.next('messageData')).logTime).toBe(START);
    const ids = client.frames.flatMap((frame) => (frame.op === 'advertise' ? frame.channels : []));
    expect(ids.map(({ id, topic }) => [id, topic])).toEqual([
      [1, '/joints'],
      [2, '/other'],
    ]);
    client.socket.send('{"op":"unsubscribe","subscriptionIds":[99]}'); // of the session before
    expect((await client.next('messageData')).logTime).toBe(START); // again, for panels that were built meanwhile
    expect(client.frames.some(({ op }) => op === 'status')).toBe(false);
  });

  test('and stays with the one it has when there is no such episode', async () => {
    using client = new TestClient(url());
    await client.subscribe('/joints');
    client.socket.send(encodeSetParameters([{ name: '/replay.episode', value: '../secret' }]));
    const { message } = await client.next('status');
    expect(message).toBe('Cannot open "../secret": there is no episode "../secret"');
    client.socket.send(seek(500));
    await client.next('playbackState');
    expect((await client.next('messageData')).logTime).toBe(START + 500n * MILLI);
  });

  test('of the list that a parameter tells', async () => {
    using client = new TestClient(url());
    await client.next('advertiseServices');
    client.socket.send(
      '{"op":"getParameters","parameterNames":["/replay.episode","/replay.episodes"],"id":"e"}',
    );
    expect((await client.next('parameterValues')).parameters).toEqual([
      { name: '/replay.episode', value: 'arm-0001' },
      { name: '/replay.episodes', value: ['arm-0001', 'arm-0002'] },
    ]);
  });
});

describe('playback', () => {
  test('is each client own', async () => {
    using one = new TestClient(url());
    using two = new TestClient(url());
    for (const client of [one, two]) await client.subscribe('/joints');
    await two.next('messageData');
    one.socket.send(seek(500));
    await one.next('playbackState');
    await one.next('messageData', ({ logTime }) => logTime === START + 500n * MILLI);
    expect(two.frames.filter(({ op }) => op === 'messageData')).toHaveLength(1);
  });

  test('is one for all when it is shared, and those who come later join it', async () => {
    await using shared = await serverWith({ shared: true });
    using one = new TestClient(url(shared));
    using two = new TestClient(url(shared));
    for (const client of [one, two]) {
      await client.subscribe('/joints');
      await client.next('messageData');
    }
    one.socket.send(seek(500, 'mine'));
    expect((await one.next('playbackState')).requestId).toBe('mine');
    await two.next('messageData', ({ logTime }) => logTime === START + 500n * MILLI);
    expect(two.frames.some(({ op }) => op === 'playbackState')).toBe(false);
    using three = new TestClient(url(shared));
    await three.subscribe('/joints');
    expect((await three.next('messageData')).logTime).toBe(START + 500n * MILLI);
  });
});

/** Counts milliseconds; what it says of an instant takes until the gate opens. */
class SlowCount implements ReplayAddition {
  readonly channels = [
    { topic: '/count', messageEncoding: 'json', schema: undefined, metadata: new Map<string, string>() },
  ];
  readonly aborted: bigint[] = [];
  gate = Promise.withResolvers<void>();

  async *messages({
    startTime,
  }: Parameters<ReplayAddition['messages']>[0]): AsyncGenerator<AddedMessage, void> {
    for (let logTime = startTime; ; logTime += MILLI) yield this.#at(logTime);
  }

  async latestBefore(
    time: bigint,
    { signal }: Parameters<ReplayAddition['latestBefore']>[1],
  ): Promise<readonly AddedMessage[]> {
    signal.addEventListener('abort', () => this.aborted.push(time));
    await this.gate.promise;
    return [this.#at(time)];
  }

  #at(logTime: bigint): AddedMessage {
    return { topic: '/count', logTime, data: Buffer.from(String((logTime - START) / MILLI)) };
  }
}

describe('topics that are added to the file', () => {
  test('are advertised behind its own and come in order of time with them', async () => {
    const count = new SlowCount();
    count.gate.resolve();
    await using added = await serverWith({ additionsOf: async () => [count] });
    using client = new TestClient(url(added));
    await client.subscribe('/joints', '/count');
    client.socket.send(
      encodePlaybackControl({ command: 'play', speed: 5, seekTime: START + 300n * MILLI, requestId: 'p' }),
    );
    await client.next('playbackState', ({ requestId }) => requestId === 'p');
    await client.next('messageData', ({ logTime }) => logTime === START + 500n * MILLI);
    const from = client.frames.findIndex((frame) => frame.op === 'playbackState');
    const times = client.frames
      .slice(from)
      .flatMap((frame) => (frame.op === 'messageData' ? frame.logTime : []));
    expect(times).toEqual(times.toSorted((a, b) => Number(a - b)));
    expect(times.length).toBeGreaterThan(200);
  });

  test('never hold up those of the file after a seek, and a newer seek ends their work', async () => {
    const count = new SlowCount();
    await using added = await serverWith({ additionsOf: async () => [count] });
    using client = new TestClient(url(added));
    await client.subscribe('/joints', '/count');
    for (const millis of [200, 400, 600]) {
      client.socket.send(seek(millis, `at ${millis}`));
      await client.next('playbackState', ({ requestId }) => requestId === `at ${millis}`);
      await client.next('messageData', ({ logTime }) => logTime === START + BigInt(millis) * MILLI);
    }
    expect(count.aborted).toContain(START + 200n * MILLI);
    expect(count.aborted).toContain(START + 400n * MILLI);
    count.gate.resolve();
    const { payload } = await client.next('messageData', ({ subscriptionId }) => subscriptionId === 2);
    expect(String(payload)).toBe('600');
  });

  test('that fail are told of, and the file plays on', async () => {
    const notices: string[] = [];
    const broken: ReplayAddition = {
      channels: new SlowCount().channels,
      prepare: () => Promise.reject(new RangeError('no stamps')),
      async *messages() {},
      latestBefore: async () => [],
    };
    await using added = await serverWith({
      additionsOf: async () => [broken],
      notice: (line) => notices.push(line),
    });
    using client = new TestClient(url(added));
    await client.subscribe('/joints', '/count');
    expect((await client.next('status')).message).toBe('/count cannot be shown: no stamps');
    client.socket.send(seek(500));
    await client.next('messageData', ({ logTime }) => logTime === START + 500n * MILLI);
  });
});

describe('a client asks for', () => {
  test.each(['arm.urdf', 'package://arm/urdf/arm.urdf', 'file:///home/robot/arm.urdf'])(
    'the asset %s and gets the attachment',
    async (uri) => {
      using client = new TestClient(url());
      await client.next('advertiseServices');
      client.socket.send(JSON.stringify({ op: 'fetchAsset', requestId: 7, uri }));
      const answer = await client.next('fetchAssetResponse');
      expect(answer).toMatchObject({ requestId: 7 });
      expect('data' in answer && [...answer.data]).toEqual([...URDF]);
    },
  );

  test.each(['package://arm/meshes/link.stl', '../arm-0002.mcap', 'file:///etc/passwd', ''])(
    'the asset %j and is told that there is none',
    async (uri) => {
      using client = new TestClient(url());
      await client.next('advertiseServices');
      client.socket.send(JSON.stringify({ op: 'fetchAsset', requestId: 8, uri }));
      expect(await client.next('fetchAssetResponse')).toEqual({
        op: 'fetchAssetResponse',
        requestId: 8,
        fault: `The episode has no attachment for "${uri}"; it has arm.urdf`,
      });
    },
  );

  test('the connection graph and gets who publishes what', async () => {
    await using added = await serverWith({ additionsOf: async () => [new SlowCount()] });
    using client = new TestClient(url(added));
    await client.next('advertiseServices');
    client.socket.send('{"op":"subscribeConnectionGraph"}');
    expect((await client.next('connectionGraphUpdate')).publishedTopics).toEqual([
      { name: '/joints', publisherIds: ['recording'] },
      { name: '/count', publisherIds: ['kinescribe'] },
    ]);
  });
});

describe('@foxglove/ws-protocol FoxgloveClient', () => {
  const wsProtocol = createRequire(import.meta.url)('@foxglove/ws-protocol') as {
    FoxgloveClient: typeof FoxgloveClientType;
  };

  test('publishes a label at the instant that it looks at, fetches an asset and gets added topics', async () => {
    const count = new SlowCount();
    count.gate.resolve();
    await using added = await serverWith({ additionsOf: async () => [count] });
    const socket = new WebSocket(url(added), 'foxglove.websocket.v1');
    const client = new wsProtocol.FoxgloveClient({ ws: socket as never });
    const got = Promise.withResolvers<string>();
    client.on('advertise', (channels) => {
      const channel = channels.find(({ topic }) => topic === '/count');
      if (channel) client.subscribe(channel.id);
    });
    client.on('message', ({ data }) => got.resolve(Buffer.from(data.buffer).toString().slice(-1)));
    expect(await got.promise).toBe('0');

    const asset = new Promise((resolve) => client.on('fetchAssetResponse', resolve));
    client.fetchAsset('arm.urdf', 3);
    expect(await asset).toMatchObject({ requestId: 3, status: 0 });

    const told = new Promise<string>((resolve) => client.on('status', ({ message }) => resolve(message)));
    const channelId = client.advertise({
      topic: '/kinescribe/label',
      encoding: 'json',
      schemaName: 'std_msgs/String',
    });
    client.sendMessage(channelId, Buffer.from('{"data":"grasp"}'));
    expect(await told).toBe('Label added: mark');
    expect((await readLabels(episode.file)).map(({ author, label }) => ({ author, label }))).toEqual([
      { author: 'foxglove', label: { kind: 'mark', name: 'grasp', startTime: START, endTime: START } },
    ]);
    socket.terminate();
  });
});

describe('a client publishes', () => {
  const publish = (client: TestClient, payload: string, topic = '/kinescribe/label') => {
    client.socket.send(JSON.stringify({ op: 'advertise', channels: [{ id: 4, topic, encoding: 'json' }] }));
    client.socket.send(Buffer.concat([Buffer.from([1, 4, 0, 0, 0]), Buffer.from(payload)]));
  };

  test.each([
    ['no JSON', 'grasp', 'must be JSON'],
    ['an empty name', '{"data":" "}', 'is wrong'],
    ['an unknown kind', '{"author":"a","label":{"kind":"colour","value":1}}', 'is wrong'],
    ['a quality of seven', '{"author":"a","label":{"kind":"quality","value":7}}', 'is wrong'],
  ])('%s as a label and is told why it is none', async (_, payload, why) => {
    using client = new TestClient(url());
    await client.next('advertiseServices');
    publish(client, payload);
    const status = await client.next('status');
    expect(status).toMatchObject({ level: 2, message: expect.stringContaining(why) });
  });

  test('on topics of a robot and nothing happens', async () => {
    using client = new TestClient(url());
    await client.subscribe('/joints');
    publish(client, '{"data":"go"}', '/cmd_vel');
    client.socket.send(seek(100));
    await client.next('playbackState');
    expect(client.frames.some(({ op }) => op === 'status')).toBe(false);
  });
});

describe('limits', () => {
  test('let a client ask for a few assets at once, and tell it when it is more', async () => {
    using client = new TestClient(url());
    await client.next('advertiseServices');
    for (let requestId = 0; requestId < 200; requestId++) {
      client.socket.send(JSON.stringify({ op: 'fetchAsset', requestId, uri: 'arm.urdf' }));
    }
    expect((await client.next('status')).message).toBe('Too many requests at once');
    client.socket.send(JSON.stringify({ op: 'fetchAsset', requestId: 1000, uri: 'arm.urdf' }));
    await client.next('fetchAssetResponse');
  });

  test('cut off a client that asks without end', async () => {
    using client = new TestClient(url());
    await client.next('advertiseServices');
    const closed = client.closed();
    for (let sent = 0; sent < 3000; sent++) client.socket.send('{"op":"unsubscribeConnectionGraph"}');
    expect(await closed).toBe(1008);
  });
});

describe('TLS', () => {
  test.skipIf(spawnSync('openssl', ['version']).status !== 0)(
    'serves wss, and says so in its addresses',
    async () => {
      const [cert, key] = ['cert.pem', 'key.pem'].map((name) => join(episode.directory, name));
      execFileSync(
        'openssl',
        [
          ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
          ...['-keyout', key!, '-out', cert!, '-days', '2', '-subj', '/CN=localhost'],
        ],
        { stdio: 'ignore' },
      );
      const tls = { cert: await readFile(cert!, 'utf8'), key: await readFile(key!, 'utf8') };
      await using secure = await serverWith({ tls });
      expect(secure.url('/', 'ws')).toMatch(/^wss:/);
      using client = new TestClient(secure.url('/', 'ws'), 'foxglove.sdk.v1', {
        ca: tls.cert,
        servername: 'localhost',
        rejectUnauthorized: false,
      });
      expect((await client.next('serverInfo')).name).toBe('Kinescribe: arm-0001');
      await expect(serverWith({ tls: { cert: 'no', key: 'PEM' } })).rejects.toThrow('Cannot serve with TLS');
    },
  );
});
