import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { temporaryFolder } from '../schemas/fixtures/episodes.ts';
import {
  allFrames,
  EPOCH,
  jointState,
  MILLI,
  type TestStream,
  testContract,
  writeTestEpisode,
} from './episode.fixture.ts';
import type { Frame } from './frame.ts';
import { SeekableFrames } from './seekable-frames.ts';

const CONTRACT = testContract(`
streams:
  arm: { topic: /arm, role: motion, type: sensor_msgs/msg/JointState }
  slow: { topic: /slow, role: context, type: sensor_msgs/msg/JointState, required: false }
features:
  hold: { kind: vector, stream: arm, field: position, shape: [1], toleranceSecs: 0.1 }
  linear: { kind: vector, stream: arm, field: position, shape: [1], align: linear, toleranceSecs: 0.1 }
  recent: { kind: vector, stream: arm, field: position, shape: [6, 1], align: window, toleranceSecs: 0.1 }
  speed: { kind: vector, stream: arm, field: position, shape: [1], derive: velocity, toleranceSecs: 0.1 }
  next: { kind: vector, stream: arm, field: position, shape: [1], derive: next, toleranceSecs: 0.1 }
  slow: { kind: vector, stream: slow, field: position, shape: [1], toleranceSecs: 100 }
  done: { kind: outcome, value: done }
samples: { tickRateHz: 10, clock: sensor }
`);

/** 20 s at 50 Hz, received 30 ms after its stamps and half a second silent in the middle; one latched message. */
const STREAMS: readonly TestStream[] = [
  {
    topic: '/arm',
    type: 'sensor_msgs/msg/JointState',
    messages: Array.from({ length: 1000 }, (_, i) => i)
      .filter((i) => i < 500 || i > 525)
      .map((i) => ({ stamp: i * 20 + (i % 3), log: i * 20 + 30, value: jointState([i * i]) })),
  },
  {
    topic: '/slow',
    type: 'sensor_msgs/msg/JointState',
    messages: [{ stamp: 10, log: 40, value: jointState([7]) }],
  },
];

async function withEpisode(
  run: (frames: SeekableFrames, expected: readonly Frame[]) => Promise<void>,
): Promise<void> {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  await writeTestEpisode(file, STREAMS);
  await using reader = await EpisodeReader.open(file);
  await run(await SeekableFrames.plan(reader, CONTRACT), (await allFrames(file, CONTRACT)).frames);
}

const live = () => new AbortController().signal;

async function collect(frames: AsyncGenerator<Frame>, count: number): Promise<Frame[]> {
  const found: Frame[] = [];
  for await (const frame of frames) if (found.push(frame) >= count) break;
  return found;
}

/** What a frame says, without the position that the two ways to walk count differently. */
function told({ tickTime, values }: Frame) {
  return [
    Number(tickTime - EPOCH) / 1e6,
    ...[...values].flatMap(([key, value]) =>
      key === 'done' || value.kind !== 'vector'
        ? []
        : [[key, value.valid, value.ageNanos, [...value.elements], value.window]],
    ),
  ];
}

describe('SeekableFrames', () => {
  test.each([0, 3_333, 10_090, 10_400, 15_000])(
    'from() gives the frames of the dataset from %d ms on',
    async (millis) => {
      await withEpisode(async (seekable, expected) => {
        const startTime = EPOCH + BigInt(millis) * MILLI;
        const first = startTime - seekable.lagNanos;
        const from = expected.findIndex(({ tickTime }) => tickTime >= first);
        const frames = await collect(seekable.from({ startTime, signal: live() }), 8);
        expect(frames.map(told)).toEqual(expected.slice(from, from + 8).map(told));
      });
    },
  );

  test('from() ends at the last tick', async () => {
    await withEpisode(async (seekable, expected) => {
      const startTime = EPOCH + 19_500n * MILLI;
      const frames = await collect(seekable.from({ startTime, signal: live() }), 100);
      expect(frames.at(-1)!.tickTime).toBe(expected.at(-1)!.tickTime);
    });
  });

  test('from() reads no further when its signal is aborted', async () => {
    await withEpisode(async (seekable) => {
      const given = new AbortController();
      const frames = seekable.from({ startTime: EPOCH, signal: given.signal });
      await frames.next();
      given.abort();
      expect((await collect(frames, 1000)).length).toBeLessThan(10);
    });
  });

  test('lastTickBefore() tells the tick that holds at an instant, and none before the first', async () => {
    await withEpisode(async (seekable) => {
      const at = (millis: number) => seekable.lastTickBefore(EPOCH + BigInt(millis) * MILLI);
      const lag = Number(seekable.lagNanos) / 1e6;
      expect(at(-1)).toBeUndefined();
      expect(Number(at(1000)! - EPOCH) / 1e6).toBe(900 + lag);
      expect(Number(at(1_000_000)! - EPOCH) / 1e6).toBeCloseTo(19_900 + lag, 3);
    });
  });
});
