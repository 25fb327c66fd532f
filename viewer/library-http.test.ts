import { mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { EPISODE_RECORD, LEDGER_RECORD } from '../schemas/episode.ts';
import { decodeRgb, encodeJpeg } from '../schemas/image-codec.ts';
import { appendLabel, type Label, readLabels } from '../schemas/labels.ts';
import { encodeLedger } from '../schemas/ledger.ts';
import { findingsFileOf } from '../schemas/library-entry.ts';
import { createEncoder } from '../schemas/message-codec.ts';
import type { EpisodeFindings, EpisodeLabels, EpisodeList, EpisodeNeighbours } from './api.ts';
import { every, MILLI, START, writeFixture } from './episode.fixture.ts';
import { LibraryDesk } from './library-desk.ts';
import { OPENAPI } from './openapi.ts';
import { type ReplayServer, startReplayServer } from './server.ts';
import { EpisodeShelf } from './shelf.ts';
import { Thumbnails } from './thumbnails.ts';

const IMAGE = {
  name: 'sensor_msgs/msg/CompressedImage',
  encoding: 'ros2msg',
  data: Buffer.from('string format\nuint8[] data\n'),
};
const encodeImage = createEncoder('/camera', IMAGE);

let directory: string;
let server: ReplayServer;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kinescribe-library-'));
  await record('arm-0001', { task: 'pick the cube', operator: 'ada', lost: 0, secs: 1 });
  await record('arm-0002', { task: 'push the cube', operator: 'ada', lost: 7, secs: 3 });
  await record('arm-0003', { task: 'pick the cube', operator: 'bo', lost: 0, secs: 2 });
  server = await startReplayServer(await EpisodeShelf.of([directory]), { port: 0 });
});
afterEach(async () => {
  await server.close();
  await rm(directory, { recursive: true });
});

const fileOf = (id: string) => join(directory, `${id}.mcap`);

async function record(
  id: string,
  take: { readonly task: string; readonly operator: string; readonly lost: number; readonly secs: number },
): Promise<void> {
  const { task, operator, lost, secs } = take;
  const greys = [0, 40, 80, 120, 160, 200];
  const pictures = await Promise.all(
    greys.map((grey) =>
      encodeJpeg({ width: 32, height: 24, pixels: new Uint8Array(32 * 24 * 3).fill(grey) }),
    ),
  );
  const camera = {
    atMillis: every((secs * 1000) / 6, 0, secs * 1000),
    messageEncoding: 'cdr',
    schema: IMAGE,
    payload: (n: number) => encodeImage({ format: 'jpeg', data: pictures[n] }),
  };
  await writeFixture(
    fileOf(id),
    { '/joints': { atMillis: every(10, 0, secs * 1000) }, ...(id === 'arm-0001' && { '/camera': camera }) },
    async (writer) => {
      const losses = lost
        ? [
            {
              topic: '/joints',
              cause: 'gap' as const,
              messages: lost,
              startTime: START,
              endTime: START + MILLI,
            },
          ]
        : [];
      await writer.addMetadata(LEDGER_RECORD, new Map([['ledger', encodeLedger({ totals: [], losses })]]));
      const clocks = { startTime: String(START), clockSystemTime: '0', clockMonotonicNanos: '0' };
      const origin = {
        contract: 'arm',
        contractDigest: '',
        robot: 'arm',
        source: 'demo',
        recorderVersion: '0',
      };
      const info = { id, task, operator, ...origin, ...clocks };
      await writer.addMetadata(EPISODE_RECORD, new Map(Object.entries(info)));
    },
  );
}

const get = (path: string, init?: RequestInit) =>
  fetch(`http://127.0.0.1:${server.address.port}${path}`, init);
const getJson = async <T>(path: string) => (await (await get(path)).json()) as T;
const idsOf = async (query: string) =>
  (await getJson<EpisodeList>(`/api/episodes?${query}`)).episodes.map(({ id }) => id.slice(-1)).join('');
const post = (id: string, body: object | string, headers: Record<string, string> = {}) =>
  get(`/api/episodes/${id}/labels`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const say = (id: string, label: Label) =>
  appendLabel(fileOf(id), { author: 'ada', time: new Date().toISOString(), label });

describe('GET /api/episodes', () => {
  test.each([
    ['', '123'],
    ['text=PUSH', '2'],
    ['text=cube+ada', '12'],
    ['text=cube+zoe', ''],
    ['task=pick+the+cube', '13'],
    ['operator=ada&loss=none', '1'],
    ['loss=some', '2'],
    ['loss=unknown', ''],
    ['minSecs=1.5&maxSecs=2.5', '3'],
    ['from=2023-11-14&to=2023-11-14', '123'],
    ['from=2023-11-15', ''],
    ['to=2023-11-13', ''],
    ['outcome=none', '13'],
    ['outcome=failure', '2'],
    ['decision=discard', '3'],
    ['quality=none', '123'],
    ['verdict=none', '123'],
    ['sort=durationSecs', '132'],
    ['sort=-durationSecs', '231'],
    ['sort=-task', '213'],
    ['sort=outcome', '213'],
    ['sort=-outcome', '213'],
    ['sort=-id&limit=2', '32'],
    ['sort=-id&limit=2&offset=2', '1'],
    ['text=', '123'],
  ])('answers ?%s with %s', async (query, expected) => {
    await say('arm-0002', { kind: 'outcome', value: 'failure' });
    await say('arm-0003', { kind: 'decision', value: 'discard' });
    expect(await idsOf(query)).toBe(expected);
  });

  test('tells how many there are, and what can be chosen from', async () => {
    const list = await getJson<EpisodeList>('/api/episodes?operator=ada&limit=1');
    expect(list).toMatchObject({ matched: 2, total: 3, pending: 0, isRecording: false });
    expect(list.facets).toMatchObject({ task: ['pick the cube', 'push the cube'], operator: ['ada', 'bo'] });
  });

  test.each(['loss=all', 'minSecs=x', 'from=yesterday', 'limit=0', 'sort=colour'])(
    'refuses ?%s with a reason',
    async (query) => {
      const response = await get(`/api/episodes?${query}`);
      expect(response.status).toBe(400);
      expect(await response.text()).toContain(query.split('=')[0]);
    },
  );

  test('shows at once what was recorded and said since', async () => {
    expect(await idsOf('')).toBe('123');
    await record('arm-0004', { task: 'pick', operator: 'bo', lost: 0, secs: 1 });
    await post('arm-0001', { author: 'ada', label: { kind: 'outcome', value: 'success' } });
    await expect.poll(() => idsOf(''), { timeout: 10_000 }).toBe('1234');
    expect(await idsOf('outcome=success')).toBe('1');
  });

  test('tells what lies before and after an episode in the same list', async () => {
    const around = (id: string, query: string) =>
      getJson<EpisodeNeighbours>(`/api/episodes/${id}/neighbours?${query}`);
    const [first, last] = ['arm-0001', 'arm-0003'];
    expect(await around(last, 'sort=-durationSecs')).toEqual({
      position: 1,
      matched: 3,
      previous: 'arm-0002',
      next: first,
    });
    expect(await around(first, 'operator=ada')).toMatchObject({
      position: 0,
      previous: null,
      next: 'arm-0002',
    });
    expect(await around(last, 'operator=ada')).toEqual({
      position: null,
      matched: 2,
      previous: null,
      next: null,
    });
  });
});

describe('labels over HTTP', () => {
  const success = { author: 'ada', label: { kind: 'outcome', value: 'success' } };

  test('POST adds one statement and answers with all', async () => {
    const response = await post('arm-0001', success);
    expect(response.status).toBe(201);
    const { current, entries } = (await response.json()) as EpisodeLabels;
    expect(current.outcome).toMatchObject({ author: 'ada', label: { value: 'success' } });
    expect(await readLabels(fileOf('arm-0001'))).toEqual(entries);
    const undone = await post('arm-0001', { author: 'ada', label: { kind: 'undo', entry: entries[0]!.id } });
    expect(((await undone.json()) as EpisodeLabels).current).not.toHaveProperty('outcome');
    expect((await getJson<EpisodeLabels>('/api/episodes/arm-0001/labels')).entries).toHaveLength(2);
  });

  test('instants come and go as decimal strings', async () => {
    const mark = { kind: 'mark', name: 'grasp', startTime: String(START + 1n), endTime: String(START + 2n) };
    const { current } = (await (
      await post('arm-0001', { author: 'ada', label: mark })
    ).json()) as EpisodeLabels;
    expect(current.marks[0]!.label).toEqual(mark);
    expect((await readLabels(fileOf('arm-0001')))[0]!.label).toMatchObject({ endTime: START + 2n });
  });

  test('the same statement sent again under its id adds nothing', async () => {
    const statement = { id: 'said-by-page-7', ...success };
    const statuses = [(await post('arm-0001', statement)).status, (await post('arm-0001', statement)).status];
    expect(statuses).toEqual([201, 200]);
    expect(await readLabels(fileOf('arm-0001'))).toHaveLength(1);
  });

  const wrong: readonly [
    what: string,
    status: number,
    body: object | string,
    headers?: Record<string, string>,
  ][] = [
    ['no author', 400, { label: success.label }],
    ['a time of its own', 400, { ...success, time: '2020-01-01T00:00:00Z' }],
    ['an unknown kind', 400, { author: 'a', label: { kind: 'mood', value: 'good' } }],
    ['a removal of nothing', 400, { author: 'a', label: { kind: 'removal' } }],
    ['no JSON', 400, '{'],
    ['a form', 415, 'author=a', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['a note too long', 413, { author: 'a', label: { kind: 'note', value: 'x'.repeat(200_000) } }],
    ['an undo of what nobody said', 409, { author: 'a', label: { kind: 'undo', entry: 'x' } }],
    ['a replacement of what nobody said', 409, { ...success, replaces: 'x' }],
    ['a foreign origin', 403, success, { origin: 'https://evil.example' }],
  ];
  test.each(wrong)('POST refuses %s with %d', async (_, status, body, headers) => {
    const response = await post('arm-0001', body, headers);
    expect(response.status).toBe(status);
    expect(await response.json()).toHaveProperty('error');
    expect(await readLabels(fileOf('arm-0001'))).toEqual([]);
  });

  test('POST wants the token, an episode that is served, and a path of labels', async () => {
    expect((await post('arm-0009', success)).status).toBe(405);
    expect((await get('/api/episodes/arm-0009/labels')).status).toBe(404);
    const guarded = await startReplayServer(await EpisodeShelf.of([directory]), { port: 0, token: 'secret' });
    onTestFinished(() => guarded.close());
    const url = `http://127.0.0.1:${guarded.address.port}/api/episodes/arm-0001/labels`;
    const request = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(success),
    };
    expect((await fetch(url, request)).status).toBe(401);
    expect((await fetch(`${url}?token=secret`, request)).status).toBe(201);
  });

  test('no page of another origin may send labels, even one that may read', async () => {
    const preflight = await get('/api/episodes/arm-0001/labels', {
      method: 'OPTIONS',
      headers: { origin: 'https://app.foxglove.dev', 'access-control-request-method': 'POST' },
    });
    expect(preflight.headers.get('access-control-allow-methods')).not.toContain('POST');
  });

  test('statements of many at once are all kept', async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        post('arm-0001', { author: `reviewer-${i}`, label: { kind: 'note', value: `note ${i}` } }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(await readLabels(fileOf('arm-0001'))).toHaveLength(12);
  });
});

describe('GET /api/events', () => {
  async function* eventsOf(response: Response): AsyncGenerator<string> {
    for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
      for (const line of part.split('\n')) if (line.startsWith('data: ')) yield JSON.parse(line.slice(6)).id;
    }
  }

  test('tells of labels by this server, of files of other processes, and nothing else', async () => {
    const hangUp = new AbortController();
    onTestFinished(() => hangUp.abort());
    const events = eventsOf(await get('/api/events', { signal: hangUp.signal }));
    await idsOf('');
    await post('arm-0002', { author: 'a', label: { kind: 'quality', value: 3 } });
    expect((await events.next()).value).toBe('arm-0002');
    await writeFile(join(directory, 'notes.txt'), 'no episode');
    await say('arm-0003', { kind: 'quality', value: 3 });
    let id: string | undefined = 'arm-0002';
    while (id === 'arm-0002') id = (await events.next()).value; // told by the desk and by the file system
    expect(id).toBe('arm-0003');
  });
});

describe('GET /api/episodes/<id>/findings', () => {
  test('answers with the report, or with null where there is none that we understand', async () => {
    const report = { kinescribe: 1, episodeDigest: `sha256:${'0'.repeat(64)}`, version: '0', reasons: ['x'] };
    const finding = {
      id: 'T07/joints',
      check: 'T07',
      claim: 'DEFECT',
      status: 'fail',
      unit: 's',
      reason: 'gap',
    };
    const window = { startTime: String(START), endTime: String(START + MILLI) };
    const path = '/api/episodes/arm-0002/findings';
    expect(await getJson(path)).toEqual({ report: null });
    await writeFile(findingsFileOf(fileOf('arm-0002')), '{"kinescribe":9}');
    expect(await getJson(path)).toEqual({ report: null });
    const findings = [{ ...finding, evidence: {}, window }];
    const whole = { ...report, limitsDigest: report.episodeDigest, verdict: 'EXCLUDE', findings };
    await writeFile(findingsFileOf(fileOf('arm-0002')), JSON.stringify(whole));
    expect((await getJson<EpisodeFindings>(path)).report?.findings[0]?.window).toEqual(window);
    expect(await idsOf('verdict=EXCLUDE')).toBe('2');
  });
});

describe('GET /api/episodes/<id>/thumbnails.jpg', () => {
  test('shows six instants of the first camera, made once', async () => {
    const response = await get('/api/episodes/arm-0001/thumbnails.jpg');
    const strip = await decodeRgb(new Uint8Array(await response.arrayBuffer()));
    expect([strip.width, strip.height]).toEqual([480, 60]);
    const greys = [0, 1, 2, 3, 4, 5].map((place) => strip.pixels[(30 * 480 + 80 * place + 40) * 3]!);
    expect(greys.map((grey) => 40 * Math.round(grey / 40))).toEqual([0, 40, 80, 120, 160, 200]);
    const cached = await readdir(join(directory, '.kinescribe', 'thumbnails'));
    expect(cached).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.jpg$/)]);
    const kept = join(directory, '.kinescribe', 'thumbnails', cached[0]!);
    await writeFile(kept, 'the kept one');
    expect(await (await get('/api/episodes/arm-0001/thumbnails.jpg')).text()).toBe('the kept one');
  });

  test('answers 404 for an episode without pictures, again from the cache', async () => {
    for (let i = 0; i < 2; i++) expect((await get('/api/episodes/arm-0002/thumbnails.jpg')).status).toBe(404);
  });

  test('a full cache loses its oldest strips, never the recordings', async () => {
    const cache = join(directory, '.kinescribe', 'thumbnails');
    const shelf = await EpisodeShelf.of([directory]);
    const episode = (await shelf.find('arm-0001'))!;
    await new Thumbnails(shelf).strip(episode);
    const [newest] = await readdir(cache);
    const { size } = await stat(join(cache, newest!));
    for (let i = 0; i < 5; i++) {
      await writeFile(join(cache, `old-${i}.jpg`), Buffer.alloc(size));
      await utimes(join(cache, `old-${i}.jpg`), i, i);
    }
    await rm(join(cache, newest!));
    await new Thumbnails(shelf, { maxCacheBytes: 5.5 * size }).strip(episode);
    expect((await readdir(cache)).sort()).toEqual([newest, 'old-2.jpg', 'old-3.jpg', 'old-4.jpg'].sort());
    expect((await readdir(directory)).filter((name) => name.endsWith('.mcap'))).toHaveLength(3);
  });
});

describe('GET /api/openapi.json', () => {
  const operations = Object.entries(OPENAPI.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { responses }]) => ({
      method: method.toUpperCase(),
      path,
      responses,
    })),
  );

  test('describes every route of the library', async () => {
    const desk = new LibraryDesk(await EpisodeShelf.of([directory]), { isRecording: false });
    onTestFinished(() => desk.close());
    const described = operations.map(({ method, path }) => `${method} ${path}`);
    expect([...desk.routes.keys()].filter((route) => !described.includes(route))).toEqual([]);
    expect(await getJson('/api/openapi.json')).toEqual(JSON.parse(JSON.stringify(OPENAPI)));
  });

  test.each(operations)('$method $path answers as described', async ({ method, path, responses }) => {
    const hangUp = new AbortController();
    const place = path.replace('{id}', 'arm-0001').replace('{format}', 'lichtblick');
    const response = await get(place, {
      method,
      signal: hangUp.signal,
      ...(method === 'POST' && { headers: { 'content-type': 'application/json' }, body: '{}' }),
    });
    const isServed = !path.startsWith('/api/recording');
    // Without a session a recording's commands are no method of this server.
    const described = isServed ? Object.keys(responses) : ['404', '405'];
    expect(described).toContain(String(response.status));
    if (isServed && method === 'GET') {
      expect(response.status).toBe(200);
      const mediaType = response.headers.get('content-type')!.split(';')[0]!;
      expect(JSON.stringify(responses)).toContain(`"${mediaType}"`);
    }
    hangUp.abort();
  });
});
