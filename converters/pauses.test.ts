import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type EpisodeEvent, EVENTS_TOPIC } from '../schemas/episode-events.ts';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { ConvertError } from '../schemas/errors.ts';
import { temporaryFolder } from '../schemas/fixtures/episodes.ts';
import { recordedPauses } from '../schemas/pause-spans.ts';
import { convertEpisodes, previewEpisodes } from './convert.ts';
import {
  EPOCH,
  joints,
  MILLI,
  type TestStream,
  testContractFile,
  writeTestEpisode,
} from './episode.fixture.ts';
import { webdataset } from './webdataset/webdataset.ts';

type Event = EpisodeEvent['event'];

/** What the operator did, at instants in milliseconds. */
function events(said: readonly (readonly [number, Event])[]): TestStream {
  const messages = said.map(([log, event]) => ({
    log,
    value: { data: JSON.stringify({ event, by: 'p1' }) },
  }));
  return { topic: EVENTS_TOPIC, type: 'std_msgs/msg/String', messages };
}

/** Ten seconds of an arm whose position is its tick. */
const ARM = joints('/arm', Object.fromEntries(Array.from({ length: 101 }, (_, i) => [i * 100, [i]])));

function contract(samples = '') {
  return testContractFile(`
streams: { arm: { topic: /arm, role: motion, type: sensor_msgs/msg/JointState } }
features: { arm: { kind: vector, stream: arm, field: position, shape: [1], toleranceSecs: 0.05 } }
samples: { tickRateHz: 10, observationSteps: 2, horizon: 3, padding: drop ${samples} }`);
}

async function previewOf(streams: readonly TestStream[], samples = '') {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  await writeTestEpisode(file, streams);
  const { episodes } = await previewEpisodes([file], { contract: contract(samples) });
  return episodes.map(({ id, frames, startTime, pausedTicks = 0, leftOutTicks = 0 }) => {
    const first = Number((BigInt(startTime) - EPOCH) / MILLI) / 100;
    return [id, first, first + frames, pausedTicks, leftOutTicks] as const;
  });
}

test.each<[string, readonly (readonly [number, Event])[], string, Awaited<ReturnType<typeof previewOf>>]>([
  ['nothing without a pause', [[0, 'start']], '', [['a', 0, 101, 0, 0]]],
  [
    'a pause',
    [
      [2000, 'pause'],
      [5000, 'resume'],
    ],
    '',
    [
      ['a-1', 0, 20, 30, 0],
      ['a-2', 50, 101, 30, 0],
    ],
  ],
  [
    'no pause that the contract keeps',
    [
      [2000, 'pause'],
      [5000, 'resume'],
    ],
    ', pauses: keep',
    [['a', 0, 101, 0, 0]],
  ],
  ['the end that was paused', [[8001, 'pause']], '', [['a', 0, 81, 20, 0]]],
  [
    'the start that was paused',
    [
      [0, 'pause'],
      [1950, 'resume'],
    ],
    '',
    [['a', 20, 101, 20, 0]],
  ],
  [
    'once what was paused twice',
    [
      [2000, 'pause'],
      [3000, 'pause'],
      [4000, 'resume'],
      [6000, 'resume'],
    ],
    '',
    [
      ['a-1', 0, 20, 20, 0],
      ['a-2', 40, 101, 20, 0],
    ],
  ],
  [
    'a moment between two pauses in which no tick lies',
    [
      [2000, 'pause'],
      [4010, 'resume'],
      [4090, 'pause'],
      [6000, 'resume'],
    ],
    '',
    [
      ['a-1', 0, 20, 40, 0],
      ['a-2', 60, 101, 40, 0],
    ],
  ],
])('convert leaves out %s', async (_, said, samples, expected) => {
  expect(await previewOf([ARM, events(said)], samples)).toEqual(expected);
});

test('convert leaves out, and counts, what no frame between two pauses can be made of', async () => {
  // The hand is silent from 2 s to 6 s; between 4 and 5 s nobody paused.
  const times = Array.from({ length: 101 }, (_, i) => i * 100).filter((t) => t < 2000 || t > 6000);
  const hand = joints('/hand', Object.fromEntries(times.map((time) => [time, [time]])));
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  const said = events([
    [2000, 'pause'],
    [4000, 'resume'],
    [5000, 'pause'],
    [7000, 'resume'],
  ]);
  await writeTestEpisode(file, [ARM, hand, said]);
  const { episodes } = await previewEpisodes([file], {
    contract: testContractFile(`
streams:
  arm: { topic: /arm, role: motion, type: sensor_msgs/msg/JointState }
  hand: { topic: /hand, role: motion, type: sensor_msgs/msg/JointState }
features:
  arm: { kind: vector, stream: arm, field: position, shape: [1], toleranceSecs: 0.05 }
  hand: { kind: vector, stream: hand, field: position, shape: [1], toleranceSecs: 0.05 }
samples: { tickRateHz: 10 }`),
  });
  expect(episodes).toMatchObject([
    { id: 'a-1', frames: 20, trimmedStart: 0, trimmedEnd: 0, pausedTicks: 40, leftOutTicks: 10 },
    { id: 'a-2', frames: 31, trimmedStart: 0, trimmedEnd: 0, pausedTicks: 40, leftOutTicks: 10 },
  ]);
});

test('convert says of a recording that was paused all the time that nothing is left', async () => {
  await expect(previewOf([ARM, events([[0, 'pause']])])).rejects.toThrow(
    expect.objectContaining({
      constructor: ConvertError,
      message: expect.stringContaining('Set "pauses: keep"'),
    }),
  );
});

test('convert accounts for every tick and cuts no window over a pause, however it is paused', async () => {
  const anyEvent = fc.tuple(fc.integer({ min: 1, max: 9999 }), fc.constantFrom<Event>('pause', 'resume'));
  await fc.assert(
    fc.asyncProperty(fc.array(anyEvent, { minLength: 1, maxLength: 6 }), async (said) => {
      await using folder = await temporaryFolder();
      const file = join(folder.path, 'a.mcap');
      await writeTestEpisode(file, [ARM, events(said.toSorted(([a], [b]) => a - b))]);
      const { datasets } = await convertEpisodes([file], {
        ...{ contract: contract(), formats: [webdataset], directory: join(folder.path, 'out'), version: '0' },
      });
      const { episodes, samples } = datasets[0]!.manifest;
      const [{ pausedTicks = 0, leftOutTicks = 0 }] = episodes as [(typeof episodes)[number]];
      const frames = episodes.reduce((sum, each) => sum + each.frames, 0);
      const trimmed = episodes.reduce((sum, each) => sum + each.trimmedStart + each.trimmedEnd, 0);
      expect(frames + trimmed + pausedTicks + leftOutTicks).toBe(101);
      // Of n frames without a cut, n − 3 begin no window of four.
      expect(samples).toBe(episodes.reduce((sum, each) => sum + Math.max(0, each.frames - 3), 0));
      await using reader = await EpisodeReader.open(file);
      for (const { startTime, endTime } of await recordedPauses(reader)) {
        for (const each of episodes) {
          const [first, last] = [BigInt(each.startTime), BigInt(each.endTime)];
          expect(last < startTime || first >= endTime).toBe(true);
        }
      }
    }),
    { numRuns: 25 },
  );
});
