import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { EpisodeList, RecordingNow } from '../viewer/api.ts';
import { startReplayServer } from '../viewer/server.ts';
import { EpisodeShelf } from '../viewer/shelf.ts';
import { ServedSession } from './served-session.fixture.ts';

let served: ServedSession;
beforeAll(async () => {
  served = await ServedSession.open({ metrics: true });
});
afterEach(async () => {
  const { state } = served.session.status();
  if (state === 'recording') await served.session.command({ kind: 'stop' });
  if (state !== 'idle') await served.session.command({ kind: 'discard' });
});
afterAll(() => served[Symbol.asyncDispose]());

const errorOf = async (response: Response) => ((await response.json()) as { error: string }).error;

describe('POST /api/recording', () => {
  it('starts one take when two clients press start at once, and tells the second why', async () => {
    const before = await served.episodes();
    const answers = await Promise.all([served.post({ kind: 'start' }), served.post({ kind: 'start' })]);
    const [won, lost] = answers.sort((a, b) => a.status - b.status) as [Response, Response];
    expect([won.status, lost.status]).toEqual([200, 409]);
    expect((await won.json()) as RecordingNow).toMatchObject({ state: 'recording' });
    expect(await errorOf(lost)).toContain('needs the state "idle"');
    served.send(0.1);
    await served.post({ kind: 'stop' });
    expect((await served.episodes()).length).toBe(before.length + 1);
  });

  it.each<[string, unknown]>([
    ['no JSON', '{"kind":'],
    ['nothing', ''],
    ['a list', [{ kind: 'start' }]],
    ['null', null],
    ['an unknown command', { kind: 'format disk' }],
    ['a field too many', { kind: 'start', by: 'me' }],
    ['an inherited field', '{"kind":"start","__proto__":{"x":1}}'],
    ['a quality of 6', { kind: 'quality', value: 6 }],
    ['a quality of text', { kind: 'quality', value: '5' }],
    ['a note that is too long', { kind: 'keep', note: 'x'.repeat(10_001) }],
  ])('answers 400 to %s', async (_, command) => {
    const answer = await served.post(command);
    expect(answer.status).toBe(400);
    expect(await errorOf(answer)).not.toBe('');
    expect(served.session.status().state).toBe('idle');
  });

  it('answers 409 to a task that the contract does not know', async () => {
    const answer = await served.post({ kind: 'describe', task: 'dance' });
    expect([answer.status, await errorOf(answer)]).toEqual([409, expect.stringContaining('pick the block')]);
  });

  it('answers 413 to a body without end, and 415 to what a form of any page could send', async () => {
    expect((await served.post({ kind: 'keep', note: 'x'.repeat(200_000) })).status).toBe(413);
    expect((await served.post({ kind: 'start' }, { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await served.get('/api/recording', { method: 'DELETE' })).status).toBe(405);
    expect(served.session.status().state).toBe('idle');
  });

  it('answers 507 when the disk has no room for a take', async () => {
    await using full = await ServedSession.open({ reserveBytes: Number.MAX_SAFE_INTEGER });
    const answer = await full.post({ kind: 'start' });
    expect([answer.status, await errorOf(answer)]).toEqual([507, expect.stringContaining('Make room')]);
    expect(full.session.status().state).toBe('idle');
  });

  it('obeys no foreign page, no foreign name of this machine, and nobody without the token', async () => {
    const foreign = await served.post({ kind: 'start' }, { origin: 'https://evil.example' });
    expect(foreign.status).toBe(403);
    const preflight = await served.get('/api/recording', {
      method: 'OPTIONS',
      headers: { origin: 'https://app.foxglove.dev', 'access-control-request-method': 'POST' },
    });
    expect(preflight.headers.get('access-control-allow-headers')).not.toMatch(/content-type/i);
    const status = await new Promise((resolve, reject) => {
      const headers = { host: 'evil.example', 'content-type': 'application/json' };
      const options = { port: served.server.address.port, path: '/api/recording', method: 'POST', headers };
      const asked = request(options, (response) => resolve(response.resume().statusCode));
      asked.on('error', reject).end('{"kind":"start"}');
    });
    expect(status).toBe(403);
    await using guarded = await ServedSession.open({ token: 'secret', metrics: true });
    expect((await guarded.post({ kind: 'start' })).status).toBe(401);
    for (const path of ['/api/recording', '/api/recording/events', '/metrics']) {
      expect((await guarded.get(path)).status).toBe(401);
    }
    expect((await guarded.post({ kind: 'start' }, { authorization: 'Bearer secret' })).status).toBe(200);
    expect(served.session.status().state).toBe('idle');
  });

  it('outlives a client that hangs up in the middle of a command', async () => {
    const socket = connect(served.server.address.port, '127.0.0.1');
    socket.write(
      'POST /api/recording HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
        'Content-Length: 100\r\n\r\n{"kind":',
      () => socket.destroy(),
    );
    await new Promise((resolve) => socket.once('close', resolve));
    expect((await served.post({ kind: 'start' })).status).toBe(200);
  });
});

describe('GET /api/recording', () => {
  it('tells the status, instants as decimal strings', async () => {
    await served.post({ kind: 'start' });
    served.send(1.5);
    served.send(1, { isForceDead: true });
    const running = (await (await served.get('/api/recording')).json()) as RecordingNow;
    expect(running).toMatchObject({ state: 'recording', tasks: ['pick the block', 'push the block'] });
    expect(running.streams).toMatchObject([
      { topic: '/joints', received: 250, expectedRateHz: 100 },
      { topic: '/force', received: 75, expectedRateHz: 50, trouble: 'silent' },
    ]);
    const reviewed = (await (await served.post({ kind: 'stop' })).json()) as RecordingNow;
    expect(reviewed.review?.losses).toMatchObject([
      { topic: '/force', startTime: expect.stringMatching(/^\d{19}$/) },
    ]);
  });

  it('is not there where no session is served, and the answer says how to serve one', async () => {
    const server = await startReplayServer(await EpisodeShelf.of([served.directory]), { port: 0 });
    const answer = await fetch(server.url('/api/recording'));
    expect([answer.status, await errorOf(answer)]).toEqual([404, expect.stringContaining('record --serve')]);
    await server.close();
  });

  it('is found under the address that the server gives when it listens everywhere', async () => {
    await using open = await ServedSession.open({ host: '0.0.0.0', token: 'a b' });
    const url = open.server.url('/api/recording');
    expect(new URL(url).hostname).not.toBe('0.0.0.0');
    expect((await fetch(url)).status).toBe(200);
  });

  it('stands beside a library in which new takes appear', async () => {
    const idsNow = async () =>
      ((await (await served.get('/api/episodes')).json()) as EpisodeList).episodes.length;
    const before = await idsNow();
    await served.post({ kind: 'start' });
    served.send(0.1);
    expect(await idsNow()).toBe(before);
    await served.post({ kind: 'stop' });
    expect(await idsNow()).toBe(before + 1);
  });
});

describe('GET /api/recording/events', () => {
  /** The states told so far, and the end of listening. */
  async function listening(to: ServedSession) {
    const ending = new AbortController();
    const response = await to.get('/api/recording/events', { signal: ending.signal });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const told: RecordingNow[] = [];
    const done = (async () => {
      let text = '';
      for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
        const events = (text + part).split('\n\n');
        text = events.pop()!;
        for (const event of events) told.push(JSON.parse(event.replace(/^data: /, '')) as RecordingNow);
      }
    })().catch((error: Error) => error.name);
    return { told, done, end: () => ending.abort() };
  }

  it('tells the status now, after every change, and while the counts grow', async () => {
    const { told, end } = await listening(served);
    await expect.poll(() => told.length).toBeGreaterThan(0);
    expect(told[0]?.state).toBe('idle');
    await served.session.command({ kind: 'start' });
    // What an operator does in quick succession is all told, however slow the beat.
    await served.session.command({ kind: 'stop' });
    await served.session.command({ kind: 'quality', value: 2 });
    await served.session.command({ kind: 'discard' });
    await expect.poll(() => told.at(-1)?.state).toBe('idle');
    expect(told.map(({ state, quality }) => `${state}${quality ?? ''}`).join(' ')).toMatch(
      /idle recording( recording)* review( review)* review2( review2)* idle/,
    );
    const count = told.length;
    await expect.poll(() => told.length).toBeGreaterThan(count + 1);
    end();
  });

  it('costs nothing while nobody listens', async () => {
    let looks = 0;
    await using counted = await ServedSession.open({
      watched: (session) => ({
        status: () => {
          looks++;
          return session.status();
        },
        listen: (changed) => session.listen(changed),
        command: (command) => session.command(command),
      }),
    });
    const first = await listening(counted);
    const second = await listening(counted);
    await expect.poll(() => Math.min(first.told.length, second.told.length)).toBeGreaterThan(2);
    // One look serves all who listen, and each has had one of his own on arrival.
    expect(looks).toBeLessThanOrEqual(Math.max(first.told.length, second.told.length) + 2);
    first.end();
    second.end();
    await Promise.all([first.done, second.done]);
    await delay(300); // the server hears of it
    const rest = looks;
    await counted.session.command({ kind: 'start' });
    await delay(600);
    expect(looks).toBe(rest);
  });

  it('ends when the server is closed, at once', async () => {
    const closing = await ServedSession.open();
    const { done } = await listening(closing);
    await closing[Symbol.asyncDispose]();
    expect(await done).toBeUndefined();
  });

  it('survives a change while it says goodbye', async () => {
    const own = await ServedSession.open();
    const listeners = await Promise.all(Array.from({ length: 8 }, () => listening(own)));
    const closing = own[Symbol.asyncDispose]();
    await own.session.command({ kind: 'start' }).catch(() => {}); // the session may have ended already
    await closing;
    await Promise.all(listeners.map(({ done }) => done));
  });

  it('refuses the sixty-fifth listener', async () => {
    await using own = await ServedSession.open();
    const open = await Promise.all(Array.from({ length: 64 }, () => listening(own)));
    expect((await own.get('/api/recording/events')).status).toBe(503);
    for (const { end } of open) end(); // and their places are free again
    await Promise.all(open.map(({ done }) => done));
    await expect
      .poll(async () => {
        const { end } = await listening(own);
        end();
      })
      .toBeUndefined();
  });
});

describe('GET /metrics', () => {
  it('tells Prometheus what the operator sees', async () => {
    await served.post({ kind: 'start' });
    served.send(1);
    const response = await served.get('/metrics');
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    for (const line of text.trimEnd().split('\n')) {
      expect(line).toMatch(
        /^# (HELP|TYPE) kinescribe_\w+ .+$|^kinescribe_\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [\d.e+-]+$/,
      );
    }
    expect(text).toContain('kinescribe_stream_received_total{topic="/joints",stream="joints"} 100\n');
    expect(text).toContain('kinescribe_stream_expected_rate_hertz{topic="/force",stream="force"} 50\n');
    expect(text).toContain('kinescribe_state{state="recording"} 1\n');
    expect(text).toContain('kinescribe_takes_total{verdict="kept"} 0\n');
    expect(text).toMatch(/kinescribe_storage_free_bytes \d+\n/);
  });

  it('is not there unless it is asked for', async () => {
    await using silent = await ServedSession.open();
    expect((await silent.get('/metrics')).status).toBe(404);
  });
});
