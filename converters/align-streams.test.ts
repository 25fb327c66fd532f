import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Message } from '../schemas/message.ts';
import { tickTime } from '../schemas/time.ts';
import type { Neighbours } from './align.ts';
import { type AlignedTick, type AlignOptions, alignStreams, type Sample } from './align-streams.ts';
import type { StreamPlan } from './stream-plan.ts';

const MILLI = 1_000_000n;
const LOOK_AHEAD = 50n * MILLI;

/** One message of a stream, milliseconds: its own instant and when it was received. */
interface Sent {
  readonly stream: number;
  readonly time: number;
  readonly logTime: number;
}

const channelPlan = { type: 'test', timeOf: ({ publishTime }: Message) => publishTime, decode: () => ({}) };

/** The messages as a file gives them: by receive time, those of the same instant as they were written. */
function record(sent: readonly Sent[], payloadBytes = 4): Message[] {
  return sent
    .map(({ stream, time, logTime }, sequence) => ({
      channel: {
        id: stream,
        topic: `/${stream}`,
        messageEncoding: 'cdr',
        schema: undefined,
        metadata: new Map(),
      },
      sequence,
      logTime: BigInt(logTime) * MILLI,
      publishTime: BigInt(time) * MILLI,
      data: new Uint8Array(payloadBytes).fill(sequence % 251),
    }))
    .sort((a, b) => Number(a.logTime - b.logTime));
}

function planOf(stream: number, messages: readonly Message[]): StreamPlan {
  const own = messages.filter(({ channel }) => channel.id === stream);
  const received = (message: Message | undefined) =>
    message && { time: message.publishTime, logTime: message.logTime };
  return {
    name: `${stream}`,
    stream: {
      topic: `/${stream}`,
      role: 'motion',
      type: 'test',
      required: true,
      toleratedLoss: 0,
    },
    messageCount: own.length,
    lookAheadNanos: LOOK_AHEAD,
    hasWindow: true,
    channels: new Map([[stream, channelPlan]]),
    first: received(own[0]),
    last: received(own.at(-1)),
    clock: undefined,
  };
}

interface Run extends AlignOptions {
  readonly streams: number;
  readonly ticks: number;
  readonly rateHz?: number;
  readonly onTick?: (tick: AlignedTick, lastRead: Message | undefined) => void;
}

async function run(
  messages: readonly Message[],
  { streams, ticks, rateHz = 100, onTick, ...options }: Run,
): Promise<AlignedTick[]> {
  const plans = Array.from({ length: streams }, (_, stream) => planOf(stream, messages));
  let lastRead: Message | undefined;
  async function* read() {
    for (const message of messages) {
      lastRead = message;
      yield message;
    }
  }
  const aligned: AlignedTick[] = [];
  const range = { origin: 0n, rateHz, count: ticks };
  for await (const tick of alignStreams(read(), plans, { ...options, range })) {
    onTick?.(tick, lastRead);
    aligned.push(tick);
  }
  return aligned;
}

/** Neighbours found by looking at all messages of a stream; of equal instants the last received counts. */
function oracle(messages: readonly Message[], stream: number, tick: bigint): (bigint | number)[] {
  let previous: Message | undefined;
  let next: Message | undefined;
  for (const message of messages) {
    const { channel, publishTime } = message;
    if (channel.id !== stream) continue;
    if (publishTime <= tick && (!previous || publishTime >= previous.publishTime)) previous = message;
    if (publishTime > tick && (!next || publishTime <= next.publishTime)) next = message;
  }
  const named = (message: Message | undefined) =>
    message && { time: message.publishTime, data: message.data };
  return visible({ previous: named(previous), next: named(next) }, tick);
}

/** All of a stream after the tick before, in order; of equal instants the last received counts. */
function sinceLast(messages: readonly Message[], stream: number, [from, to]: readonly [bigint, bigint]) {
  const byTime = new Map<bigint, Message>();
  for (const message of messages) {
    const { channel, publishTime } = message;
    if (channel.id === stream && publishTime > from && publishTime <= to) byTime.set(publishTime, message);
  }
  const ordered = [...byTime].sort(([a], [b]) => Number(a - b));
  return ordered.map(([time, { data }]) => [time, data[0]!]);
}

/** Neighbours as time and payload; a later one only as far as a feature looks ahead. */
function visible(
  { previous, next }: Neighbours<Pick<Sample, 'time' | 'data'>>,
  tick: bigint,
): (bigint | number)[] {
  const near = next && next.time <= tick + LOOK_AHEAD ? next : undefined;
  return [previous, near].flatMap((each) => (each ? [each.time, each.data[0]!] : [-1]));
}

/**
 * Streams of any rate and gaps, latency between -3 s (a clock ahead) and 3 s plus jitter, stamps that stand
 * still or step back by up to 400 ms.
 */
const streamsArbitrary = fc
  .array(
    fc.record({
      latency: fc.integer({ min: -3000, max: 3000 }),
      steps: fc.array(
        fc.record({
          forward: fc.oneof(fc.integer({ min: 0, max: 30 }), fc.constantFrom(0, 10, 900)),
          back: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 400 })),
          jitter: fc.integer({ min: 0, max: 20 }),
        }),
        { maxLength: 40 },
      ),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((streams) =>
    streams.flatMap(({ latency, steps }, stream) => {
      let now = 0;
      let received = 0;
      return steps.map(({ forward, back, jitter }): Sent => {
        now += forward;
        // Middlewares deliver a publisher's messages in order.
        received = Math.max(received, 10_000 + now + latency + jitter);
        return { stream, time: Math.max(0, now - back), logTime: received };
      });
    }),
  );

test('alignStreams() finds at every tick what a look at the whole recording finds', async () => {
  await fc.assert(
    fc.asyncProperty(streamsArbitrary, fc.constantFrom(100, 30, 7), async (sent, rateHz) => {
      const messages = record(sent);
      const late: string[] = [];
      // Waits as long as any stream of these can take, gap, latency and all.
      const ticks = await run(messages, {
        streams: 4,
        ticks: 60,
        rateHz,
        maxWaitSecs: 60,
        onLate: ({ name }) => late.push(name),
      });
      expect(ticks.map(({ index }) => index)).toEqual(Array.from({ length: 60 }, (_, i) => i));
      for (const { index, time, neighbours } of ticks) {
        expect(time).toBe(tickTime(0n, index, rateHz));
        expect(neighbours.map((each) => visible(each, time))).toEqual(
          [0, 1, 2, 3].map((stream) => oracle(messages, stream, time)),
        );
        const range = [tickTime(0n, index - 1, rateHz), time] as const;
        expect(neighbours.map((each) => each.sinceLast!.map(({ time, data }) => [time, data[0]!]))).toEqual(
          [0, 1, 2, 3].map((stream) => sinceLast(messages, stream, range)),
        );
      }
      expect(late).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

test('alignStreams() never takes a later value for an earlier one, however little it may wait or hold', async () => {
  await fc.assert(
    fc.asyncProperty(
      streamsArbitrary,
      fc.constantFrom(0, 0.05, 1),
      fc.constantFrom(0, 16, 1 << 20),
      async (sent, maxWaitSecs, maxBufferedBytes) => {
        const messages = record(sent);
        let late = 0;
        const ticks = await run(messages, {
          streams: 4,
          ticks: 60,
          maxWaitSecs,
          disorderSecs: 0,
          maxBufferedBytes,
          onLate: () => late++,
        });
        expect(ticks.length).toBe(60);
        let wrong = 0;
        for (const { time, neighbours } of ticks) {
          for (const [stream, each] of neighbours.entries()) {
            if (each.previous) expect(each.previous.time).toBeLessThanOrEqual(time);
            if (each.next) expect(each.next.time).toBeGreaterThan(time);
            if (visible(each, time)[0] !== oracle(messages, stream, time)[0]) wrong++;
          }
        }
        // A held value can differ from the whole recording's only through messages that were reported.
        if (wrong > 0) expect(late).toBeGreaterThan(0);
      },
    ),
    { numRuns: 150 },
  );
});

const steady = (stream: number, { from = 0, to, every }: { from?: number; to: number; every: number }) =>
  Array.from({ length: (to - from) / every }, (_, i): Sent => {
    const time = from + i * every;
    return { stream, time, logTime: time };
  });

test('alignStreams() waits for a silent stream no longer than it may', async () => {
  // Stream 1 is silent from 1 s to 19 s, then goes on.
  const messages = record([
    ...steady(0, { to: 20_000, every: 10 }),
    ...steady(1, { to: 1000, every: 10 }),
    ...steady(1, { from: 19_000, to: 20_000, every: 10 }),
  ]);
  const lags: number[] = [];
  const ticks = await run(messages, {
    streams: 2,
    ticks: 2000,
    maxWaitSecs: 2,
    disorderSecs: 0.1,
    onTick: ({ time }, read) => void lags.push(Number((read!.logTime - time) / MILLI)),
    onLate: () => expect.unreachable(),
  });
  expect(ticks[1500]!.neighbours.map(({ previous }) => previous?.time)).toEqual([
    15_000n * MILLI,
    990n * MILLI,
  ]);
  expect(lags[50]).toBeLessThanOrEqual(170);
  expect(Math.max(...lags)).toBeGreaterThan(1900);
  expect(Math.max(...lags)).toBeLessThanOrEqual(2070);
});

test('alignStreams() does not wait for a stream that has no more messages', async () => {
  const messages = record([...steady(0, { to: 5000, every: 10 }), ...steady(1, { to: 1000, every: 10 })]);
  let farthest = 0;
  await run(messages, {
    streams: 2,
    ticks: 500,
    disorderSecs: 0.1,
    onTick: ({ time }, read) => {
      farthest = Math.max(farthest, Number((read!.logTime - time) / MILLI));
    },
  });
  expect(farthest).toBeLessThanOrEqual(170);
});

test('alignStreams() holds no more bytes than it may while a stream is silent', async () => {
  const messages = record(
    [
      ...steady(0, { to: 3000, every: 10 }),
      { stream: 1, time: 0, logTime: 0 },
      { stream: 1, time: 2990, logTime: 2990 },
    ],
    1000,
  );
  const lags: number[] = [];
  await run(messages, {
    streams: 2,
    ticks: 300,
    maxWaitSecs: 100,
    disorderSecs: 0,
    maxBufferedBytes: 20_000,
    onTick: ({ time }, read) => void lags.push(Number((read!.logTime - time) / MILLI)),
  });
  // Twenty messages of 1000 bytes are 200 ms of stream 0.
  expect(Math.max(...lags)).toBeLessThanOrEqual(210);
  expect(Math.max(...lags)).toBeGreaterThan(150);
});

test('alignStreams() names the stream of messages that came after their ticks were made', async () => {
  // Stream 1 is held up for 3 s and then delivers everything at once, with honest stamps.
  const held = steady(1, { from: 1000, to: 4000, every: 100 }).map((sent) => ({ ...sent, logTime: 4000 }));
  const messages = record([
    ...steady(0, { to: 6000, every: 10 }),
    ...steady(1, { to: 1000, every: 100 }),
    ...held,
    ...steady(1, { from: 4000, to: 6000, every: 100 }),
  ]);
  const late: string[] = [];
  const ticks = await run(messages, {
    streams: 2,
    ticks: 600,
    maxWaitSecs: 1,
    onLate: ({ name }) => late.push(name),
  });
  // At 4000 ms ticks below 3000 ms had been made: 1000, 1100, … 2900 came too late.
  expect(late).toEqual(Array.from({ length: 20 }, () => '1'));
  expect(ticks[250]!.neighbours[1]!.previous!.time).toBe(900n * MILLI);
  expect(ticks[305]!.neighbours[1]!.previous!.time).toBe(3000n * MILLI);
});
