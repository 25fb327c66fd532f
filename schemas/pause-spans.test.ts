import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type EpisodeEvent, EVENTS_CHANNEL, encodeEvent } from './episode-events.ts';
import { EpisodeReader } from './episode-reader.ts';
import { EpisodeWriter } from './episode-writer.ts';
import { temporaryFolder } from './fixtures/episodes.ts';
import { pauseSpans, recordedPauses } from './pause-spans.ts';

type Event = EpisodeEvent['event'];

test.each<[string, readonly (readonly [Event, number])[], readonly (readonly [number, number])[]]>([
  ['nothing of a take without pauses', [], []],
  [
    'from pause to resume',
    [
      ['start', 0],
      ['pause', 10],
      ['mistake', 15],
      ['resume', 20],
      ['stop', 90],
    ],
    [[10, 20]],
  ],
  [
    'every pause',
    [
      ['pause', 10],
      ['resume', 20],
      ['pause', 20],
      ['resume', 30],
    ],
    [
      [10, 20],
      [20, 30],
    ],
  ],
  [
    'to the end where nobody resumed',
    [
      ['pause', 40],
      ['stop', 90],
    ],
    [[40, 100]],
  ],
  [
    'from the first of two pauses',
    [
      ['pause', 10],
      ['pause', 15],
      ['resume', 20],
    ],
    [[10, 20]],
  ],
  [
    'nothing of a resume outside a pause',
    [
      ['resume', 5],
      ['pause', 10],
      ['resume', 20],
      ['resume', 30],
    ],
    [[10, 20]],
  ],
  [
    'nothing of a pause that was taken back at once',
    [
      ['pause', 10],
      ['resume', 10],
    ],
    [],
  ],
  ['nothing of a pause at the end', [['pause', 100]], []],
])('pauseSpans() takes %s', (_, events, spans) => {
  const timed = events.map(([event, logTime]) => ({ event, logTime: BigInt(logTime) }));
  expect(pauseSpans(timed, 100n)).toEqual(
    spans.map(([startTime, endTime]) => ({ startTime: BigInt(startTime), endTime: BigInt(endTime) })),
  );
});

async function writeEvents(file: string, payloads: readonly (readonly [bigint, Uint8Array])[]) {
  const writer = await EpisodeWriter.open(file, { durability: 'none' });
  const channelId = writer.addChannel(EVENTS_CHANNEL);
  for (const [logTime, data] of payloads) {
    await writer.write({ channelId, sequence: 0, logTime, publishTime: logTime, data });
  }
  await writer.close();
}

test('recordedPauses() reads the pauses of a recording, the last of them to its last message', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  const said: readonly (readonly [Event, bigint])[] = [
    ['start', 100n],
    ['pause', 200n],
    ['resume', 300n],
    ['pause', 400n],
    ['stop', 500n],
  ];
  await writeEvents(
    file,
    said.map(([event, time]) => [time, encodeEvent({ event, by: 'p1' }).slice()]),
  );
  await using reader = await EpisodeReader.open(file);
  expect(await recordedPauses(reader)).toEqual([
    { startTime: 200n, endTime: 300n },
    { startTime: 400n, endTime: 501n },
  ]);
});
