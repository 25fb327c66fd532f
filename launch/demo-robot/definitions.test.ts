import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createDecoder, createEncoder } from '../../schemas/message-codec.ts';
import { messageSchema } from './definitions.ts';
import { channelOf, STREAMS } from './streams.ts';

test('messageSchema() gives the fields of TactileArray as schemas/msg publishes them', async () => {
  const file = await readFile(new URL('../../schemas/msg/msg/TactileArray.msg', import.meta.url), 'utf8');
  const fields = file.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const text = new TextDecoder().decode(messageSchema('kinescribe_msgs/msg/TactileArray').data);
  expect(text.split('\n').slice(0, fields.length)).toEqual(fields);
});

test('messageSchema() holds every dependency once, after the separator that rosbag2 writes', () => {
  const text = new TextDecoder().decode(messageSchema('sensor_msgs/msg/CameraInfo').data);
  expect(text.split('\n').filter((line) => line === '='.repeat(80))).toHaveLength(3);
  expect([...text.matchAll(/^MSG: (.*)$/gm)].map(([, name]) => name)).toEqual([
    'std_msgs/Header',
    'builtin_interfaces/Time',
    'sensor_msgs/RegionOfInterest',
  ]);
});

test.each([...new Set(STREAMS.map(({ type }) => type))])('messageSchema() of %s parses', (type) => {
  const channel = channelOf(STREAMS.find((stream) => stream.type === type)!);
  expect(() => createDecoder(channel)).not.toThrow();
  expect(() => createEncoder(channel.topic, messageSchema(type))).not.toThrow();
});

test('messageSchema() refuses a type that the robot does not speak', () => {
  expect(() => messageSchema('sensor_msgs/msg/Imu')).toThrow(RangeError);
});
