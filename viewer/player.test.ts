import { expect, test } from 'vitest';
import {
  every,
  type FixtureTopic,
  fixtureEpisode,
  latchedMetadata,
  MILLI,
  START,
} from './episode.fixture.ts';
import { type PlaybackClock, type PlaybackEvent, Player } from './player.ts';

/** Sleeping moves this clock on at once, so a playback of seconds takes no time. */
class FakeClock implements PlaybackClock {
  time = 5_000_000n;
  now(): bigint {
    return this.time;
  }
  async sleep(nanos: bigint, signal: AbortSignal): Promise<void> {
    if (!signal.aborted) this.time += nanos;
  }
}

async function played(
  topics: Readonly<Record<string, FixtureTopic>>,
  latched: Readonly<Record<string, number>> = {},
) {
  const episode = await fixtureEpisode(topics);
  const clock = new FakeClock();
  const player = new Player(episode.reader, { clock, latchedDepth: (topic) => latched[topic] ?? 0 });
  const events = player.events();
  return {
    clock,
    player,
    /** Reads on until the condition holds, that event included. */
    async until(condition: (event: PlaybackEvent) => boolean): Promise<PlaybackEvent[]> {
      const seen: PlaybackEvent[] = [];
      for (;;) {
        const { value } = await events.next();
        if (!value) return seen;
        seen.push(value);
        if (condition(value)) return seen;
      }
    },
    async [Symbol.asyncDispose]() {
      player.close();
      await events.return();
      await episode[Symbol.asyncDispose]();
    },
  };
}

const text = new TextDecoder();
const millis = (time: bigint) => Number(time - START) / 1e6;
const hasEnded = (event: PlaybackEvent) => event.kind === 'state' && event.state.status === 'ended';
const isMessage = (event: PlaybackEvent) => event.kind === 'message';
/** `/a 3 @40` is message 3 of /a, said at 40 ms; `+` marks one that was sent again. */
function line(event: PlaybackEvent): string {
  if (event.kind === 'time') return `time @${millis(event.time)}`;
  if (event.kind === 'state') return `${event.state.status} @${millis(event.state.currentTime)}`;
  const { n } = JSON.parse(text.decode(event.message.data)) as { n: number };
  return `${event.backfill ? '+' : ''}${event.message.channel.topic} ${n} @${millis(event.time)}`;
}
const messagesOf = (events: readonly PlaybackEvent[]) => events.filter(isMessage).map(line);

test('Player plays every message once, in order of time, then ends', async () => {
  await using session = await played({
    '/a': { atMillis: every(10, 0, 100) },
    '/b': { atMillis: every(25, 5, 100) },
  });
  session.player.subscribe('/a');
  session.player.subscribe('/b');
  session.player.control({ playing: true });
  const events = await session.until(hasEnded);
  expect(messagesOf(events)).toEqual([
    '+/a 0 @0',
    '/b 0 @5',
    ...['/a 1 @10', '/a 2 @20', '/a 3 @30', '/b 1 @30', '/a 4 @40', '/a 5 @50', '/b 2 @55', '/a 6 @60'],
    ...['/a 7 @70', '/a 8 @80', '/b 3 @80', '/a 9 @90'],
  ]);
  expect(line(events.at(-1)!)).toBe('ended @90');
});

test.each([1, 0.5, 4])('Player keeps to its clock when the speed is %d', async (speed) => {
  await using session = await played({ '/a': { atMillis: every(100, 0, 1001) } });
  session.player.subscribe('/a');
  session.player.control({ playing: true, speed });
  const begin = session.clock.time;
  for (let n = 1; n <= 10; n++) {
    await session.until((event) => event.kind === 'message' && event.message.sequence === n);
    const late = Number(session.clock.time - begin) / 1e6 - (n * 100) / speed;
    expect(late).toBeGreaterThanOrEqual(0);
    expect(late).toBeLessThan(5); // one nap
  }
});

test('Player tells the time at 60 Hz when no message is due', async () => {
  await using session = await played({ '/a': { atMillis: [0, 1000] } });
  session.player.subscribe('/a');
  session.player.control({ playing: true });
  const events = await session.until(hasEnded);
  const ticks = events.flatMap((event) => (event.kind === 'time' ? [event.time] : []));
  expect(ticks.length).toBeGreaterThan(50);
  expect(ticks.length).toBeLessThanOrEqual(60);
  expect(ticks).toEqual([...ticks].sort());
});

test('Player goes to the end when nothing is subscribed', async () => {
  await using session = await played({ '/a': { atMillis: [0, 300] } });
  session.player.control({ playing: true });
  const events = await session.until(hasEnded);
  expect(messagesOf(events)).toEqual([]);
  expect(line(events.at(-1)!)).toBe('ended @300');
});

test('seek sends the last message at or before the target for every topic, then plays on after it', async () => {
  await using session = await played({
    '/a': { atMillis: every(10, 0, 100) },
    '/rare': { atMillis: [3] },
    '/late': { atMillis: [90] },
  });
  for (const topic of ['/a', '/rare', '/late']) session.player.subscribe(topic);
  session.player.control({ seekTime: START + 50n * MILLI, requestId: 'r1', playing: true });
  const events = await session.until((event) => isMessage(event) && line(event) === '/a 7 @70');
  expect(events[0]).toMatchObject({ kind: 'state', state: { didSeek: true, requestId: 'r1' } });
  expect(messagesOf(events)).toEqual(['+/rare 0 @50', '+/a 5 @50', '/a 6 @60', '/a 7 @70']);
});

test('seek backwards works and the target is held within the episode', async () => {
  await using session = await played({ '/a': { atMillis: every(10, 0, 100) } });
  session.player.subscribe('/a');
  session.player.control({ seekTime: START + 10n ** 18n });
  expect(messagesOf(await session.until(isMessage))).toEqual(['+/a 9 @90']);
  session.player.control({ seekTime: 0n });
  expect(messagesOf(await session.until(isMessage))).toEqual(['+/a 0 @0']);
});

test('a newer seek cancels an older one, and both are answered', async () => {
  await using session = await played({
    '/a': { atMillis: every(10, 0, 100) },
    '/b': { atMillis: every(10, 0, 100) },
  });
  session.player.subscribe('/a');
  session.player.subscribe('/b');
  session.player.control({ seekTime: START + 50n * MILLI, requestId: 'old' });
  await session.until(isMessage); // the first message of the older seek is out, the second is not
  session.player.control({ seekTime: START + 20n * MILLI, requestId: 'new' });
  const events = await session.until((event) => line(event) === '+/b 2 @20');
  expect(messagesOf(events)).toEqual(['+/a 2 @20', '+/b 2 @20']);
  expect(events[0]).toMatchObject({ state: { requestId: 'new' } });
});

test('subscribe() sends the latest message at once when paused, and loses or repeats none when playing', async () => {
  await using session = await played({
    '/a': { atMillis: every(10, 0, 100) },
    '/b': { atMillis: every(10, 0, 100) },
  });
  session.player.control({ seekTime: START + 42n * MILLI });
  session.player.subscribe('/a');
  expect(messagesOf(await session.until(isMessage))).toEqual(['+/a 4 @42']);
  session.player.control({ playing: true });
  await session.until((event) => line(event) === '/a 6 @60');
  session.player.subscribe('/b');
  const events = await session.until(hasEnded);
  const expected = [7, 8, 9].flatMap((n) => [`/a ${n} @${n}0`, `/b ${n} @${n}0`]);
  expect(messagesOf(events)).toEqual(['+/b 6 @60', ...expected]);
});

test('unsubscribe() stops a topic and leaves the others whole', async () => {
  await using session = await played({
    '/a': { atMillis: every(10, 0, 100) },
    '/b': { atMillis: every(10, 0, 100) },
  });
  session.player.subscribe('/a');
  session.player.subscribe('/b');
  session.player.control({ playing: true });
  await session.until((event) => line(event) === '/b 5 @50');
  session.player.unsubscribe('/b');
  expect(messagesOf(await session.until(hasEnded))).toEqual(['/a 6 @60', '/a 7 @70', '/a 8 @80', '/a 9 @90']);
});

test('pause stops where the client is and play goes on from there', async () => {
  await using session = await played({ '/a': { atMillis: every(100, 0, 1001) } });
  session.player.subscribe('/a');
  session.player.control({ playing: true });
  await session.until((event) => line(event) === '/a 4 @400');
  session.player.control({ playing: false });
  await session.until((event) => event.kind === 'state');
  session.clock.time += 60_000n * MILLI; // a minute passes
  session.player.control({ playing: true });
  const events = await session.until((event) => line(event) === '/a 5 @500');
  expect(messagesOf(events)).toEqual(['/a 5 @500']);
});

test('the end is sticky: play does nothing until a seek', async () => {
  await using session = await played({ '/a': { atMillis: [0, 10] } });
  session.player.subscribe('/a');
  session.player.control({ playing: true });
  await session.until(hasEnded);
  session.player.control({ playing: true, requestId: 'again' });
  expect(await session.until(() => true)).toMatchObject([{ state: { status: 'ended', requestId: 'again' } }]);
  session.player.control({ seekTime: START, playing: true });
  expect(messagesOf(await session.until(hasEnded))).toEqual(['+/a 0 @0', '/a 1 @10']);
});

test('a latched topic is sent on every seek: one message per publisher, and even before its first', async () => {
  await using session = await played(
    {
      '/tf_static': { atMillis: [5, 6, 7], metadata: latchedMetadata(1, 1) },
      '/a': { atMillis: every(10, 0, 100) },
    },
    { '/tf_static': 2 },
  );
  session.player.subscribe('/tf_static');
  session.player.control({ seekTime: START + 60n * MILLI });
  const events = await session.until((event) => line(event).startsWith('+/tf_static 2'));
  expect(messagesOf(events)).toEqual(['+/tf_static 1 @60', '+/tf_static 2 @60']);
  session.player.control({ seekTime: START + 2n * MILLI });
  expect(messagesOf(await session.until(isMessage))).toEqual(['+/tf_static 0 @2']);
});

test('a slow client slows the playback instead of being flooded', async () => {
  await using session = await played({ '/a': { atMillis: every(10, 0, 2001) } });
  session.player.subscribe('/a');
  session.player.control({ playing: true });
  await session.until((event) => line(event) === '/a 10 @100');
  session.clock.time += 60_000n * MILLI; // the client stalls for a minute
  const resumed = session.clock.time;
  await session.until((event) => line(event) === '/a 110 @1100');
  const tookMillis = Number(session.clock.time - resumed) / 1e6;
  expect(tookMillis).toBeGreaterThan(900);
});

test('messages of one instant are all sent when topics change between them', async () => {
  await using session = await played({
    '/a': { atMillis: every(10, 0, 100) },
    '/b': { atMillis: every(10, 0, 100) },
    '/c': { atMillis: every(10, 0, 100) },
  });
  session.player.subscribe('/a');
  session.player.subscribe('/b');
  session.player.control({ playing: true });
  await session.until((event) => line(event) === '/a 5 @50'); // the fifth of /b is still to come
  session.player.subscribe('/c');
  const lines = messagesOf(await session.until(hasEnded));
  for (const topic of ['/b', '/c']) {
    const numbers = lines.filter((text) => text.includes(topic)).map((text) => Number(text.split(' ')[1]));
    expect(numbers).toEqual([5, 6, 7, 8, 9]);
  }
});

test('events() ends when the player is closed, also while it waits', async () => {
  await using session = await played({ '/a': { atMillis: [0, 10] } });
  const rest = session.until(() => false);
  session.player.close();
  expect(await rest).toEqual([]);
});

test('an episode without messages can be played and ends at once', async () => {
  await using session = await played({ '/a': { atMillis: [] } });
  session.player.subscribe('/a');
  session.player.control({ playing: true });
  expect((await session.until(hasEnded)).map((event) => event.kind)).toEqual(['state', 'state']);
});

test('control() ignores speeds that are no numbers and holds slow ones at 0.01', async () => {
  await using session = await played({ '/a': { atMillis: [0] } });
  session.player.control({ speed: Number.NaN });
  expect(session.player.state.speed).toBe(1);
  session.player.control({ speed: -3 });
  expect(session.player.state.speed).toBe(0.01);
});
