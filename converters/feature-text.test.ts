import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../schemas/fixtures/episodes.ts';
import { allFrames, jointState, type TestStream, testContract, writeTestEpisode } from './episode.fixture.ts';

async function textsOf(stream: TestStream, rest = '') {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  const ticks: TestStream = {
    topic: '/arm',
    type: 'sensor_msgs/msg/JointState',
    messages: [0, 100, 200, 300].map((log) => ({ log, value: jointState([log]) })),
  };
  await writeTestEpisode(file, [ticks, stream]);
  const { frames } = await allFrames(
    file,
    testContract(`
streams:
  arm: { topic: /arm, role: motion, type: sensor_msgs/msg/JointState }
  said: { topic: ${stream.topic}, role: context, type: ${stream.type}, required: false, clock: log }
features:
  arm: { kind: vector, stream: arm, field: position, shape: [1], toleranceSecs: 0.1 }
  text: { kind: text, stream: said, toleranceSecs: 0.15${rest} }
samples: { tickRateHz: 10 }`),
  );
  return frames.map(({ values }) => {
    const value = values.get('text')!;
    if (value.kind !== 'text') throw new TypeError(value.kind);
    return [value.text, value.valid, value.ageNanos && Number(value.ageNanos) / 1e6];
  });
}

test('TextReader holds what was said, and says nothing once it is too old', async () => {
  const said: TestStream = {
    topic: '/said',
    type: 'std_msgs/msg/String',
    messages: [{ log: 60, value: { data: 'open the drawer' } }],
  };
  expect(await textsOf(said)).toEqual([
    ['', false, undefined],
    ['open the drawer', true, 40],
    ['open the drawer', true, 140],
    ['', false, 240],
  ]);
});

const NAMES: TestStream = {
  topic: '/names',
  type: 'sensor_msgs/msg/JointState',
  messages: [0, 100, 200, 300].map((log) => ({ log, value: jointState([1, 2], ['a', `b${log}`]) })),
};

test('TextReader finds a text in a message', async () => {
  const texts = await textsOf(NAMES, ', field: "name[1]"');
  expect(texts.map(([text]) => text)).toEqual(['b0', 'b100', 'b200', 'b300']);
});

test.each([
  ['name', '"name" is no text but an array of 2'],
  ['name[0:2]', 'there are 2 values instead of one text'],
  ['nome', 'it has no field "nome"; did you mean "name"?'],
  ['position[0]', '"position[0]" is no text but number 1'],
])('TextReader says what is wrong with field %s', async (field, fault) => {
  await expect(textsOf(NAMES, `, field: "${field}"`)).rejects.toThrow(fault);
});
