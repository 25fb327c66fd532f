import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FixtureEpisode, fixtureEpisode } from './episode.fixture.ts';
import { type ReplayServer, type ReplayServerOptions, startReplayServer } from './server.ts';
import { EpisodeShelf } from './shelf.ts';

let episode: FixtureEpisode;
let shelf: EpisodeShelf;
let server: ReplayServer;
const notices: string[] = [];

beforeAll(async () => {
  episode = await fixtureEpisode({ '/a': { atMillis: [0, 10] } });
  await writeFile(join(episode.directory, 'broken.mcap'), 'no MCAP at all');
  shelf = await EpisodeShelf.of([episode.directory]);
  server = await startReplayServer(shelf, { port: 0, notice: (line) => notices.push(line) });
});

afterAll(async () => {
  await server.close();
  await episode[Symbol.asyncDispose]();
});

const UPGRADE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-protocol': 'foxglove.sdk.v1',
};

/** The status that answers a wish to become a WebSocket; 101 is a welcome. */
function upgrade(
  path: string,
  headers: Readonly<Record<string, string>> = {},
  { address }: ReplayServer = server,
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request({
      host: '127.0.0.1',
      port: address.port,
      path,
      headers: { ...UPGRADE, ...headers },
    });
    asked.on('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response.statusCode);
    });
    asked.on('error', reject);
    asked.end();
  });
}

async function serverWith(options: ReplayServerOptions): Promise<ReplayServer & AsyncDisposable> {
  const started = await startReplayServer(shelf, { port: 0, ...options });
  return { ...started, [Symbol.asyncDispose]: () => started.close() };
}

describe('startReplayServer() refuses', () => {
  test.each<[string, string, Readonly<Record<string, string>>, number]>([
    ['no subprotocol of ours', '/', { 'sec-websocket-protocol': 'mqtt' }, 400],
    ['a foreign origin', '/', { origin: 'https://evil.example' }, 403],
    ['the origin of a sandboxed page', '/', { origin: 'null' }, 403],
    ['a foreign host name', '/', { host: 'evil.example' }, 403],
    [
      'a foreign host name with its own origin',
      '/',
      { host: 'evil.example', origin: 'http://evil.example' },
      403,
    ],
    ['an unknown episode', '/?episode=..%2F..%2Fetc%2Fpasswd', {}, 404],
    ['an episode that is no MCAP file', '/?episode=broken', {}, 404],
    ['a handshake of another version', '/', { 'sec-websocket-version': '7' }, 400],
  ])('%s', async (_, path, headers, status) => {
    expect(await upgrade(path, headers)).toBe(status);
  });

  test('requests without the token, but for the page', async () => {
    await using guarded = await serverWith({ token: 'se cret' });
    expect(await upgrade('/', {}, guarded)).toBe(401);
    expect(await upgrade('/?token=other', {}, guarded)).toBe(401);
    expect(await upgrade('/?token=se%20cret', {}, guarded)).toBe(101);
    const offering = (token: string) => {
      const name = `kinescribe.token.${Buffer.from(token).toString('base64url')}`;
      return upgrade('/', { 'sec-websocket-protocol': `foxglove.sdk.v1, ${name}` }, guarded);
    };
    expect(await offering('se cret')).toBe(101);
    expect(await offering('secret')).toBe(401);
    const get = async (path: string, headers = {}) =>
      (await fetch(`http://127.0.0.1:${guarded.address.port}${path}`, { headers })).status;
    expect(await get('/api/episodes')).toBe(401);
    expect(await get('/files/arm-0001.mcap')).toBe(401);
    expect(await get('/api/episodes', { authorization: 'Bearer other' })).toBe(401);
    expect(await get('/api/episodes', { authorization: 'Bearer se cret' })).toBe(200);
  });

  test('to serve beyond this machine without a token', async () => {
    await expect(startReplayServer(shelf, { port: 0, host: '0.0.0.0' })).rejects.toThrow(/--token/);
  });

  test('with one notice for each kind of trouble', async () => {
    await upgrade('/', { origin: 'https://evil.example' });
    expect(notices).toEqual([...new Set(notices)]);
    expect(notices.some((line) => line.includes('https://evil.example'))).toBe(true);
  });
});

describe('startReplayServer() welcomes', () => {
  test.each(['https://app.foxglove.dev', 'http://localhost:8080', 'file://'])(
    'a page of %s',
    async (origin) => {
      expect(await upgrade('/', { origin })).toBe(101);
    },
  );

  test('an origin that it was told of', async () => {
    await using open = await serverWith({ origins: ['https://lab.example'] });
    expect(await upgrade('/', { origin: 'https://lab.example' }, open)).toBe(101);
  });
});

test('startReplayServer() outlives bytes that are no WebSocket frame, and handshakes cut off', async () => {
  const head = Object.entries({ host: 'localhost', ...UPGRADE }).map(([name, value]) => `${name}: ${value}`);
  for (const end of [Buffer.alloc(4096, 0xff), undefined]) {
    const socket = connect(server.address.port, '127.0.0.1');
    socket.write(`GET / HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`);
    if (end) {
      await new Promise((resolve) => socket.once('data', resolve));
      socket.write(end);
    } else socket.destroy();
    await new Promise((resolve) => socket.once('close', resolve));
  }
  expect(await upgrade('/')).toBe(101);
});
