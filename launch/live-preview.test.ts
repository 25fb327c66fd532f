import { describe, expect, test } from 'vitest';
import { encodePlaybackControl, encodeSubscribe, encodeUnsubscribe } from '../viewer/protocol-client.ts';
import { TestClient } from '../viewer/test-client.fixture.ts';
import { ServedSession } from './served-session.fixture.ts';

const address = ({ server }: ServedSession, query = '') => `ws://127.0.0.1:${server.address.port}/${query}`;

/** Reads what is advertised, one channel at a time, until all topics are known. */
async function channelIds(client: TestClient, count: number): Promise<ReadonlyMap<string, number>> {
  const ids = new Map<string, number>();
  while (ids.size < count) {
    for (const { topic, id } of (await client.next('advertise')).channels) ids.set(topic, id);
  }
  return ids;
}

async function subscribe(client: TestClient, ...topics: string[]): Promise<void> {
  const ids = await channelIds(client, 4);
  const subscriptions = topics.map((topic, index) => ({ id: index + 1, channelId: ids.get(topic)! }));
  client.socket.send(encodeSubscribe(subscriptions));
}

describe('the live preview of a recording session', () => {
  test('advertises the robot beside the session, without a bar to play it', async () => {
    await using session = await ServedSession.open();
    using client = new TestClient(address(session));
    const info = await client.next('serverInfo');
    expect(info.name).toBe('Kinescribe: live');
    expect(info.capabilities).toEqual(['time', 'parameters']);
    expect([...(await channelIds(client, 4)).keys()]).toEqual([
      '/kinescribe/recording',
      '/kinescribe/streams',
      '/joints',
      '/force',
    ]);
  });

  test('shows messages as they arrive, in a take and between takes, the time before each', async () => {
    await using session = await ServedSession.open();
    using client = new TestClient(address(session));
    await subscribe(client, '/joints', '/kinescribe/recording');
    await client.next('messageData', ({ subscriptionId }) => subscriptionId === 2);
    session.send(0.05);
    await session.session.command({ kind: 'start' });
    session.send(0.05);
    await client.next(
      'messageData',
      ({ subscriptionId, logTime }) => subscriptionId === 1 && logTime === session.source.clock.time,
    );
    const joints = client.frames.filter((frame) => frame.op === 'messageData' && frame.subscriptionId === 1);
    expect(joints).toHaveLength(10);
    let time = 0n;
    for (const frame of client.frames) {
      if (frame.op === 'time') time = frame.time;
      if (frame.op === 'messageData') expect(time).toBe(frame.logTime);
    }
  });

  test('tells the state of the take when it changes', async () => {
    await using session = await ServedSession.open();
    using client = new TestClient(address(session));
    await subscribe(client, '/kinescribe/recording');
    const told = async () => {
      const { payload } = await client.next('messageData');
      return JSON.parse(Buffer.from(payload).toString()) as { state: string; episodeId: string };
    };
    expect(await told()).toMatchObject({ state: 'idle' });
    await session.session.command({ kind: 'start' });
    let now = await told();
    while (now.state !== 'recording') now = await told();
    expect(now.episodeId).toBe('desk-0001');
  });

  test('stops showing what a client no longer wants', async () => {
    await using session = await ServedSession.open();
    using client = new TestClient(address(session));
    await subscribe(client, '/joints');
    client.socket.send(encodeUnsubscribe([1]));
    client.socket.send(encodePlaybackControl({ command: 'play', speed: 1, requestId: 'r' }));
    await client.next('status', ({ message }) => message.includes('cannot be played'));
    session.send(0.05);
    client.socket.send(encodePlaybackControl({ command: 'play', speed: 1, requestId: 'r' }));
    await client.next('status', ({ message }) => message.includes('cannot be played'));
    expect(client.frames.some(({ op }) => op === 'messageData')).toBe(false);
  });

  test('leaves out for a client that reads nothing, tells it so, and records on', async () => {
    await using session = await ServedSession.open({ highWaterBytes: 2000 });
    using client = new TestClient(address(session));
    await subscribe(client, '/force');
    await session.session.command({ kind: 'start' });
    client.socket.pause();
    // More than the buffers of two sockets hold.
    for (let sent = 0; sent < 400; sent++) {
      const logTime = session.source.clock.time + 10_000_000n;
      session.source.send({ channelKey: 1, logTime, data: new Uint8Array(60_000) });
      if (sent % 20 === 0) await new Promise(setImmediate);
    }
    expect(session.session.status().streams[1]).toMatchObject({ received: 400, lost: 0 });
    client.socket.resume();
    await client.next('status', ({ message }) => message === 'Send buffer limit reached');
    const shown = client.frames.filter(({ op }) => op === 'messageData').length;
    expect(shown).toBeLessThan(400);
    client.socket.send('{"op":"getParameters","parameterNames":[],"id":"l"}');
    const { parameters } = await client.next('parameterValues');
    const { '/force': leftOut = 0 } = parameters[0]!.value as Record<string, number>;
    expect(leftOut).toBeGreaterThan(0);
  });

  test('a finished take is replayed when its name is given, while the session goes on', async () => {
    await using session = await ServedSession.open();
    await session.session.command({ kind: 'start' });
    session.send(0.2);
    await session.session.command({ kind: 'stop' });
    await session.session.command({ kind: 'keep' });
    using client = new TestClient(address(session, '?episode=desk-0001'));
    expect((await client.next('serverInfo')).name).toBe('Kinescribe: desk-0001');
  });
});
