import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { temporaryFolder } from '../schemas/fixtures/episodes.ts';
import { appendLabel, currentLabels, type Label, readLabels } from '../schemas/labels.ts';
import { EPOCH, joints, MILLI, type TestStream, testContract, writeTestEpisode } from './episode.fixture.ts';
import { episodeFrames, type FramesOptions } from './episode-frames.ts';
import type { Frame } from './frame.ts';
import { episodesOf } from './prepared/prepare-episode.ts';

const ARM = joints('/arm', Object.fromEntries(Array.from({ length: 8 }, (_, i) => [i * 100, [i]])));
const STREAMS = 'streams: { arm: { topic: /arm, role: motion, type: sensor_msgs/msg/JointState } }';
const POSITION = 'arm: { kind: vector, stream: arm, field: position, shape: [1], toleranceSecs: 0.05 }';

async function framesOf(
  streams: readonly TestStream[],
  contract: string,
  { labels = [], ...options }: Omit<FramesOptions, 'labels'> & { labels?: readonly Label[] } = {},
) {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  await writeTestEpisode(file, streams);
  for (const label of labels) await appendLabel(file, { author: 'r1', time: '2026-11-22T09:00:00Z', label });
  await using reader = await EpisodeReader.open(file);
  const said = currentLabels(await readLabels(file));
  const frames: Frame[] = [];
  const walk = episodeFrames(reader, testContract(contract), { ...options, labels: said });
  let step = await walk.next();
  for (; !step.done; step = await walk.next()) frames.push(step.value);
  return { frames, report: step.value };
}

function column(frames: readonly Frame[], key: string) {
  return frames.map(({ values }) => {
    const value = values.get(key)!;
    if (value.kind !== 'vector') throw new TypeError(value.kind);
    return value.valid ? value.elements[0] : undefined;
  });
}

const at = (millis: number) => EPOCH + BigInt(millis) * MILLI;

test('episodeFrames() takes a range of the recording on the same ticks as the whole', async () => {
  const contract = `${STREAMS}\nfeatures: { ${POSITION} }\nsamples: { tickRateHz: 10 }`;
  const whole = await framesOf([ARM], contract);
  // Received 250 to 560 ms after the start: ticks 300, 400 and 500.
  const part = await framesOf([ARM], contract, { within: { startTime: at(250), endTime: at(560) } });
  expect(part.frames.map(({ tickTime }) => tickTime)).toEqual(
    whole.frames.slice(3, 6).map(({ tickTime }) => tickTime),
  );
  expect(part.frames.map(({ index }) => index)).toEqual([0, 1, 2]);
  expect(column(part.frames, 'arm')).toEqual([3, 4, 5]);
  expect(part.report).toMatchObject({ frames: 3, ticks: 3, trimmedStart: 0, trimmedEnd: 0 });
});

test('episodeFrames() holds at the start of a range what came before it', async () => {
  const contract = `${STREAMS}\nfeatures: { ${POSITION} }\nsamples: { tickRateHz: 20 }`;
  const { frames } = await framesOf([ARM], contract, { within: { startTime: at(340), endTime: at(410) } });
  expect(column(frames, 'arm')).toEqual([3, 4]); // 350 holds what was stamped 300
});

test('episodeFrames() finds a range on a clock that has nothing to do with receive time', async () => {
  const contract = `${STREAMS}\nfeatures: { ${POSITION} }\nsamples: { tickRateHz: 10 }`;
  const replayed = { ...ARM, messages: ARM.messages.map((each) => ({ ...each, stamp: each.log - 1e9 })) };
  const { frames } = await framesOf([replayed], contract, {
    within: { startTime: at(300), endTime: at(500) },
  });
  expect(column(frames, 'arm')).toEqual([3, 4]);
});

const OUTCOMES = `
features:
  ${POSITION}
  reward: { kind: outcome, value: reward }
  done: { kind: outcome, value: done }
  success: { kind: outcome, value: success }
  return: { kind: outcome, value: return, discount: 0.5 }
samples: { tickRateHz: 10 }`;

test.each<[Label | undefined, Record<string, (number | undefined)[]>]>([
  [
    { kind: 'outcome', value: 'success' },
    { reward: [0, 0, 0, 1], done: [0, 0, 0, 1], success: [1, 1, 1, 1], return: [0.125, 0.25, 0.5, 1] },
  ],
  [
    { kind: 'outcome', value: 'failure' },
    { reward: [0, 0, 0, 0], done: [0, 0, 0, 1], success: [0, 0, 0, 0], return: [0, 0, 0, 0] },
  ],
  [
    undefined,
    {
      reward: [undefined, undefined, undefined, undefined],
      done: [0, 0, 0, 1],
      success: [undefined, undefined, undefined, undefined],
      return: [undefined, undefined, undefined, undefined],
    },
  ],
])('episodeFrames() makes reward, done, success and return of %o', async (label, expected) => {
  // Ticks 0 to 300; the hand begins at 0 and ends at 300, which trims the rest.
  const hand = joints('/hand', { 0: [0], 100: [1], 200: [2], 300: [3] });
  const { frames } = await framesOf(
    [ARM, hand],
    `streams:
  arm: { topic: /arm, role: motion, type: sensor_msgs/msg/JointState }
  hand: { topic: /hand, role: motion, type: sensor_msgs/msg/JointState }
${OUTCOMES.replace('features:', `features:\n  hand: { kind: vector, stream: hand, field: position, shape: [1], toleranceSecs: 0.05 }`)}`,
    { labels: label ? [label] : [] },
  );
  for (const [key, values] of Object.entries(expected))
    expect([key, column(frames, key)]).toEqual([key, values]);
  expect([...frames[0]!.values.keys()]).toEqual(['hand', 'arm', 'reward', 'done', 'success', 'return']);
});

async function grey(level: number) {
  const pixels = new Uint8Array(12).fill(level);
  return await sharp(pixels, { raw: { width: 2, height: 2, channels: 3 } })
    .png()
    .toBuffer();
}

test.each<[string, Label[], number, number]>([
  // The last complete tick is 700; its picture was taken at 690.
  ['of the last frame', [], 70, 690],
  ['at the mark "goal"', [{ kind: 'mark', name: 'goal', startTime: at(420), endTime: at(420) }], 40, 390],
  [
    'of the last frame where the mark lies before any',
    [{ kind: 'mark', name: 'goal', startTime: at(-500), endTime: at(-500) }],
    70,
    690,
  ],
])('episodeFrames() shows at every tick the goal %s', async (_, labels, level, taken) => {
  const camera: TestStream = {
    topic: '/camera',
    type: 'sensor_msgs/msg/CompressedImage',
    messages: await Promise.all(
      Array.from({ length: 8 }, async (_, i) => ({
        log: Math.max(0, i * 100 - 10),
        value: { format: 'png', data: await grey(i * 10) },
      })),
    ),
  };
  const { frames } = await framesOf(
    [ARM, camera],
    `streams:
  arm: { topic: /arm, role: motion, type: sensor_msgs/msg/JointState }
  camera: { topic: /camera, role: perception, type: sensor_msgs/msg/CompressedImage }
features:
  ${POSITION}
  goal: { kind: image, stream: camera, width: 2, height: 2, at: goal, toleranceSecs: 0.05 }
  now: { kind: image, stream: camera, width: 2, height: 2, toleranceSecs: 0.095 }
samples: { tickRateHz: 10 }`,
    { labels },
  );
  expect(frames).toHaveLength(8);
  for (const { tickTime, values } of frames) {
    const goal = values.get('goal')!;
    if (goal.kind !== 'image') throw new TypeError(goal.kind);
    expect([...goal.pixels]).toEqual(Array.from({ length: 12 }, () => level));
    // It lies in the future, and says so.
    expect(goal).toMatchObject({ valid: true, ageNanos: tickTime - at(taken) });
  }
});

test('episodesOf() knows how it ended of the last stretch alone', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  await writeTestEpisode(file, [ARM]);
  const said: readonly Label[] = [
    { kind: 'outcome', value: 'success' },
    { kind: 'mark', name: 'interruption', startTime: at(220), endTime: at(480) },
  ];
  for (const label of said) await appendLabel(file, { author: 'r1', time: '2026-11-22T09:00:00Z', label });
  const contract = testContract(
    `${STREAMS}\n${OUTCOMES.replace('tickRateHz: 10', 'tickRateHz: 10, leaveOut: [interruption]')}`,
  );
  const found: unknown[] = [];
  for (const episode of await episodesOf(file, contract)) {
    await using reader = await EpisodeReader.open(file);
    const frames: Frame[] = [];
    for await (const frame of episodeFrames(reader, contract, episode)) frames.push(frame);
    found.push([episode.id, column(frames, 'arm'), column(frames, 'reward'), column(frames, 'done')]);
  }
  expect(found).toEqual([
    ['a-1', [0, 1, 2], [undefined, undefined, undefined], [0, 0, 1]],
    ['a-2', [5, 6, 7], [0, 0, 1], [0, 0, 1]],
  ]);
});
