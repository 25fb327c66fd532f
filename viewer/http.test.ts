import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CONTRACT_ATTACHMENT, LEDGER_RECORD } from '../schemas/episode.ts';
import { appendLabel } from '../schemas/labels.ts';
import { encodeLedger } from '../schemas/ledger.ts';
import type { EpisodeFacts, EpisodeList } from './api.ts';
import { every, type FixtureEpisode, fixtureEpisode, MILLI, START } from './episode.fixture.ts';
import { parseRange } from './files.ts';
import { decodeServerBinary } from './protocol-server.ts';
import { type ReplayServer, startReplayServer } from './server.ts';
import { EpisodeShelf } from './shelf.ts';

const CONTRACT = `
kinescribe: 1
name: arm
robot: { model: test }
streams:
  joints: { topic: /joints, role: motion, type: sensor_msgs/msg/JointState, rateHz: 100 }
features: {}
samples: { tickRateHz: 10 }
episode: { tasks: [pick] }
`;

let episode: FixtureEpisode;
let server: ReplayServer;

beforeAll(async () => {
  episode = await fixtureEpisode(
    { '/joints': { atMillis: every(10, 0, 1000) }, '/a': { atMillis: [5] } },
    async (writer) => {
      const losses = [
        { topic: '/joints', cause: 'gap' as const, messages: 3, startTime: START, endTime: START + MILLI },
        { topic: '/joints', cause: 'silent' as const, messages: null, startTime: 0n, endTime: 1n },
      ];
      await writer.addAttachment({
        name: CONTRACT_ATTACHMENT,
        mediaType: 'application/yaml',
        logTime: START,
        data: Buffer.from(CONTRACT),
      });
      await writer.addMetadata(LEDGER_RECORD, new Map([['ledger', encodeLedger({ totals: [], losses })]]));
    },
  );
  await appendLabel(episode.file, {
    author: 'a',
    time: '2026-01-01T00:00:00Z',
    label: { kind: 'outcome', value: 'failure' },
  });
  server = await startReplayServer(await EpisodeShelf.of([episode.file]), { port: 0 });
});

afterAll(async () => {
  await server.close();
  await episode[Symbol.asyncDispose]();
});

const get = (path: string, init?: RequestInit) =>
  fetch(`http://127.0.0.1:${server.address.port}${path}`, init);

describe('/files', () => {
  const ranges: readonly [
    header: string | undefined,
    status: number,
    slice: [number, number?] | undefined,
  ][] = [
    [undefined, 200, [0]],
    ['bytes=0-9', 206, [0, 10]],
    ['bytes=100-', 206, [100]],
    ['bytes=-16', 206, [-16]],
    ['bytes=5-5', 206, [5, 6]],
    ['bytes=0-99999999', 206, [0]],
    ['bytes=99999999-', 416, undefined],
    ['bytes=9-5', 200, [0]],
    ['bytes=0-1,5-6', 200, [0]],
    ['lines=0-1', 200, [0]],
  ];

  test.each(ranges)('answers Range %s with %d', async (range, status, slice) => {
    const response = await get('/files/arm-0001.mcap', range ? { headers: { range } } : {});
    const whole = await readFile(episode.file);
    expect(response.status).toBe(status);
    expect(response.headers.get('accept-ranges')).toBe('bytes');
    const expected = slice ? whole.subarray(...slice) : Buffer.alloc(0);
    expect(Buffer.from(await response.arrayBuffer()).equals(expected)).toBe(true);
    if (status === 416) expect(response.headers.get('content-range')).toBe(`bytes */${whole.length}`);
    if (status === 206) expect(response.headers.get('content-length')).toBe(String(expected.length));
  });

  test('answers HEAD with the length alone, and If-Range of another file with all of it', async () => {
    const head = await get('/files/arm-0001.mcap', { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String((await readFile(episode.file)).length));
    const etag = head.headers.get('etag')!;
    const range = 'bytes=0-3';
    const same = await get('/files/arm-0001.mcap', { headers: { range, 'if-range': etag } });
    const other = await get('/files/arm-0001.mcap', { headers: { range, 'if-range': '"x"' } });
    expect([same.status, other.status]).toEqual([206, 200]);
  });

  test('lets known origins of other sites read by ranges, and no others', async () => {
    const known = await get('/files/arm-0001.mcap', { headers: { origin: 'https://app.foxglove.dev' } });
    expect(known.headers.get('access-control-allow-origin')).toBe('https://app.foxglove.dev');
    expect(known.headers.get('access-control-expose-headers')).toContain('Accept-Ranges');
    const foreign = await get('/files/arm-0001.mcap', { headers: { origin: 'https://evil.example' } });
    expect(foreign.status).toBe(403);
    expect(foreign.headers.has('access-control-allow-origin')).toBe(false);
    const preflight = await get('/files/arm-0001.mcap', {
      method: 'OPTIONS',
      headers: { origin: 'https://app.foxglove.dev' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('Range');
  });

  test.each([
    '/files/../../etc/passwd',
    '/files/..%2f..%2fetc%2fpasswd.mcap',
    '/files/%2e%2e/arm-0001.mcap',
    '/files/other.mcap',
    '/files/%zz.mcap',
    '/../package.json',
    '/assets/..%2f..%2fpackage.json',
    '//etc/passwd',
    '/%00',
  ])('serves nothing under %s', async (path) => {
    // fetch() would tidy the path before sending it.
    const socket = connect(server.address.port, '127.0.0.1');
    socket.end(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    let answer = '';
    for await (const part of socket) answer += String(part);
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    expect(answer).not.toContain('root:');
  });
});

describe('parseRange()', () => {
  test('finds nothing to send in an empty file', () => {
    expect(parseRange('bytes=0-', 0)).toBe('unsatisfiable');
    expect(parseRange('bytes=-5', 0)).toBe('unsatisfiable');
    expect(parseRange('bytes=-', 10)).toBeUndefined();
  });
});

describe('/api', () => {
  test('lists the episodes with what the ledger and the labels say', async () => {
    const { episodes } = (await (await get('/api/episodes')).json()) as EpisodeList;
    expect(episodes).toMatchObject([
      { id: 'arm-0001', fault: null, messageCount: 101, lostMessages: 3, outcome: 'failure' },
    ]);
    expect(episodes[0]).not.toHaveProperty('streams');
  });

  test('tells the streams in the order of the contract, and the losses', async () => {
    const facts = (await (await get('/api/episodes/arm-0001')).json()) as EpisodeFacts;
    expect(facts.streams).toMatchObject([
      { topic: '/joints', name: 'joints', role: 'motion', messageCount: 100, expectedRateHz: 100 },
      { topic: '/a', name: null, messageCount: 1, rateHz: null },
    ]);
    expect(facts.losses).toEqual([
      { topic: '/joints', cause: 'silent', messages: null, startTime: '0', endTime: '1' },
      {
        topic: '/joints',
        cause: 'gap',
        messages: 3,
        startTime: String(START),
        endTime: String(START + MILLI),
      },
    ]);
  });

  test.each([
    ['all', '', every(10, 0, 1000)],
    ['a tenth, where nothing is plotted,', '&maxMessages=10', every(100, 0, 1000)],
  ])('sends %s of the messages of a topic at once', async (_, query, millis) => {
    const response = await get(`/api/episodes/arm-0001/messages?topic=/joints${query}`);
    const bytes = new Uint8Array(await response.arrayBuffer());
    const view = new DataView(bytes.buffer);
    const times: number[] = [];
    for (let at = 0; at < bytes.length; at += 4 + view.getUint32(at, true)) {
      const frame = decodeServerBinary(bytes.subarray(at + 4, at + 4 + view.getUint32(at, true)));
      if (frame?.op === 'messageData') times.push(Number(frame.logTime - START) / 1e6);
    }
    expect(times).toEqual(millis);
  });

  test('serves layouts and answers other methods with 405', async () => {
    const layout = (await (await get('/layouts/arm-0001.lichtblick.json')).json()) as object;
    expect(layout).toHaveProperty('configById');
    expect((await get('/api/episodes', { method: 'POST' })).status).toBe(405);
    expect((await get('/api/episodes/none')).status).toBe(404);
  });
});
