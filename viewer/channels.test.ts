import { describe, expect, test } from 'vitest';
import type { Channel } from '../schemas/message.ts';
import { replayChannels } from './channels.ts';
import { latchedMetadata } from './episode.fixture.ts';

const channel = (id: number, topic: string, change: Partial<Channel> = {}): Channel => ({
  id,
  topic,
  messageEncoding: 'cdr',
  schema: { name: 'std_msgs/msg/String', encoding: 'ros2msg', data: Buffer.from('string data\n') },
  metadata: new Map(),
  ...change,
});

describe('replayChannels()', () => {
  test('makes one of the channels that several publishers have on one topic', () => {
    const [merged, ...others] = replayChannels([channel(0, '/tf'), channel(7, '/tf')]);
    expect(others).toEqual([]);
    expect(merged).toMatchObject({ topic: '/tf', channelIds: new Set([0, 7]) });
    expect(merged?.advertised).toEqual({
      id: 1,
      topic: '/tf',
      encoding: 'cdr',
      schemaName: 'std_msgs/msg/String',
      schemaEncoding: 'ros2msg',
      schema: 'string data\n',
    });
  });

  test('gives a suffix to a second type of one topic, avoiding names that exist', () => {
    const json = { messageEncoding: 'json', schema: undefined };
    const names = replayChannels([channel(0, '/a'), channel(1, '/a_2'), channel(2, '/a', json)]).map(
      ({ advertised }) => advertised.topic,
    );
    expect(names).toEqual(['/a', '/a_2', '/a_3']);
  });

  test('sends binary definitions as base64', () => {
    const schema = { name: 'foxglove.Log', encoding: 'protobuf', data: Uint8Array.of(0xde, 0xad) };
    const [first] = replayChannels([channel(0, '/log', { messageEncoding: 'protobuf', schema })]);
    expect(first?.advertised).toMatchObject({ schemaEncoding: 'protobuf', schema: '3q0=' });
  });

  test.each([
    ['one publisher', latchedMetadata(1), 1],
    ['three publishers of depths 1, 5 and 1', latchedMetadata(1, 5, 1), 7],
    ['an unknown depth', latchedMetadata(0), 1],
    ['a huge depth', latchedMetadata(100_000), 100],
    ['no profile', new Map<string, string>(), 0],
    [
      'names instead of numbers',
      new Map([
        ['offered_qos_profiles', '- history: keep_last\n  depth: 2\n  durability: transient_local\n'],
      ]),
      2,
    ],
    ['a volatile publisher', new Map([['offered_qos_profiles', '- depth: 9\n  durability: volatile\n']]), 0],
    [
      'a latched and a volatile publisher',
      new Map([['offered_qos_profiles', '- depth: 9\n  durability: 2\n- depth: 3\n  durability: 1\n']]),
      3,
    ],
  ])('knows the latched depth of %s', (_, metadata, depth) => {
    expect(replayChannels([channel(0, '/x', { metadata })])[0]?.latchedDepth).toBe(depth);
  });

  test.each([
    ['sensor_msgs/msg/CompressedImage', true],
    ['sensor_msgs/msg/Image', true],
    ['foxglove.PointCloud', true],
    ['sensor_msgs/msg/CameraInfo', false],
    ['foxglove_msgs/msg/CompressedVideo', false],
    ['sensor_msgs/msg/JointState', false],
  ])('may leave out single messages of %s: %s', (name, droppable) => {
    const schema = { name, encoding: 'ros2msg', data: new Uint8Array() };
    expect(replayChannels([channel(0, '/x', { schema })])[0]?.droppable).toBe(droppable);
  });
});
