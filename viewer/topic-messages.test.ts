import { describe, expect, test } from 'vitest';
import type { MessageSchema } from '../schemas/message.ts';
import { createEncoder } from '../schemas/message-codec.ts';
import { every, fixtureEpisode, START } from './episode.fixture.ts';
import { decodeServerBinary } from './protocol-server.ts';
import { topicMessages } from './topic-messages.ts';

const WRENCH: MessageSchema = {
  name: 'geometry_msgs/msg/Wrench',
  encoding: 'ros2msg',
  data: Buffer.from(
    `Vector3 force\nVector3 torque\n${'='.repeat(80)}\nMSG: geometry_msgs/Vector3\nfloat64 x\nfloat64 y\nfloat64 z\n`,
  ),
};
const COUNT = 2000;
/** A single sample each, where even thinning would hardly look. */
const SPIKES: Readonly<Record<number, number>> = { 137: 50, 138: -40, 1501: 90 };

describe('topicMessages()', () => {
  test.each([0, 1, 7])(
    'keeps every spike of every line when it thins out (spikes moved by %d)',
    async (shift) => {
      const encode = createEncoder('/wrench', WRENCH);
      const zero = { x: 0, y: 0, z: 0 };
      await using episode = await fixtureEpisode({
        '/wrench': {
          atMillis: every(1, 0, COUNT),
          messageEncoding: 'cdr',
          schema: WRENCH,
          payload: (n) =>
            encode({
              force: { ...zero, x: SPIKES[n - shift] ?? Math.sin(n) },
              torque: { ...zero, z: -(SPIKES[n - shift - 300] ?? 0) },
            }),
        },
      });
      const parts: Uint8Array[] = [];
      const chosen = topicMessages(episode.reader, { topic: '/wrench', maxMessages: 240 });
      for await (const part of chosen) parts.push(part);
      const bytes = Buffer.concat(parts);
      const millis: number[] = [];
      for (let at = 0; at < bytes.length; at += 4 + bytes.readUInt32LE(at)) {
        const frame = decodeServerBinary(bytes.subarray(at + 4, at + 4 + bytes.readUInt32LE(at)));
        if (frame?.op === 'messageData') millis.push(Number(frame.logTime - START) / 1e6);
      }
      const spikes = Object.keys(SPIKES).flatMap((n) => [Number(n) + shift, Number(n) + shift + 300]);
      expect(millis).toEqual(expect.arrayContaining(spikes));
      expect(millis).toEqual([...new Set(millis)].sort((a, b) => a - b));
      expect(millis.length).toBeLessThanOrEqual(240);
      expect(millis.length).toBeGreaterThan(40);
    },
  );
});
