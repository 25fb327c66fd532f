import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { parseContract } from '../schemas/contract-file.ts';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { createDecoder } from '../schemas/message-codec.ts';
import { Recorder } from './recorder.ts';
import { openRosSource } from './ros-source.ts';
import { missingRos, Robot, useOwnGraph } from './ros-test-robot.ts';
import { CAMERA, JOINTS, payloads, TF_STATIC, WRENCH } from './ros-test-streams.ts';

const reason = missingRos();
if (reason) console.log(`Recording from a ROS 2 graph is not tested. ${reason}`);
useOwnGraph();

const STREAMS = [JOINTS, WRENCH, CAMERA, TF_STATIC];
const contractFile = parseContract(
  `
kinescribe: 1
name: bench
robot: { model: test-arm }
streams:
  joints: { topic: ${JOINTS.topic}, role: motion, type: ${JOINTS.type} }
  wrench: { topic: ${WRENCH.topic}, role: interaction, type: ${WRENCH.type} }
  camera: { topic: ${CAMERA.topic}, role: perception, type: ${CAMERA.type} }
  static: { topic: ${TF_STATIC.topic}, role: context, type: ${TF_STATIC.type} }
features: {}
samples: { tickRateHz: 10 }
episode: { tasks: [pick the block] }
`,
  'bench.yaml',
);
const TAKE = { task: 'pick the block', operator: 'op-1' };

const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

/** Payloads of an episode by topic. */
async function contentOf(file: string): Promise<ReadonlyMap<string, readonly Buffer[]>> {
  await using reader = await EpisodeReader.open(file);
  const content = new Map<string, Buffer[]>();
  for await (const { channel, data } of reader.messages()) {
    const messages = content.get(channel.topic) ?? [];
    messages.push(Buffer.from(data));
    content.set(channel.topic, messages);
  }
  for (const channel of reader.channels.values()) {
    const [first] = content.get(channel.topic) ?? [];
    if (first) createDecoder(channel)(first); // throws where the stored definition does not fit
  }
  return content;
}

describe.skipIf(reason)('Recorder on a ROS 2 graph', () => {
  it('writes every message of two takes, the latched one into both', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'kinescribe-'));
    cleanup.push(() => rm(directory, { recursive: true }));
    const robot = await Robot.open('robot', ...STREAMS);
    cleanup.push(() => robot.kill());
    const recorder = await Recorder.open(await openRosSource(), { contractFile, directory, version: 'test' });
    cleanup.push(() => recorder.close());
    await delay(3000); // for the middleware to connect; a busy machine takes its time

    await recorder.startTake(TAKE);
    await robot.publish();
    const sent = STREAMS.reduce((sum, { count }) => sum + count, 0);
    const received = () => recorder.status().streams.reduce((sum, stream) => sum + stream.received, 0);
    await vi.waitFor(() => expect(received()).toBe(sent), { timeout: 10_000 });
    const first = await recorder.stopTake();
    await recorder.keepTake({ outcome: 'success' }, TAKE.operator);
    await recorder.startTake(TAKE);
    const second = await recorder.stopTake();

    const content = await contentOf(first.file);
    for (const stream of STREAMS) {
      const payload = await payloads(stream);
      const messages = content.get(stream.topic)!;
      expect(messages, stream.topic).toHaveLength(stream.count);
      for (const [index, data] of messages.entries()) {
        const expected = payload(index);
        // Encapsulation options and padding are the middleware's own.
        const isEqual = Buffer.compare(data.subarray(4, expected.byteLength), expected.subarray(4)) === 0;
        expect(isEqual, `${stream.topic} message ${index}`).toBe(true);
      }
    }
    expect(first.ledger.losses.filter(({ cause }) => cause === 'queue-full')).toEqual([]);
    expect((await contentOf(second.file)).get(TF_STATIC.topic)).toEqual(content.get(TF_STATIC.topic));
  });
});
