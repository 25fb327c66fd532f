import { createHash, type Hash } from 'node:crypto';
import { beforeEach, describe, expect, inject, it } from 'vitest';
import { EpisodeReader } from '../../schemas/episode-reader.ts';
import { createDecoder } from '../../schemas/message-codec.ts';
import { z } from '../../schemas/validation.ts';
import { needs, readWith } from './python.ts';

/** Messages of each topic, and a digest over their times and payloads. */
const topics = z.record(z.string(), z.tuple([z.int(), z.string()]));
const reportSchema = z.object({
  versions: z.record(z.string(), z.string()),
  indexed: z.object({
    topics,
    jointSum: z.number(),
    metadata: z.array(z.string()),
    attachments: z.record(z.string(), z.int()),
    profile: z.string(),
  }),
  streamed: z.object({ topics }),
  rosbags: z.object({
    topics,
    jointSum: z.number(),
    types: z.record(z.string(), z.string()),
    times: z.tuple([z.string(), z.string()]),
  }),
});

describe('Python readers of MCAP', () => {
  beforeEach((context) => needs('readers', context));

  it.each([0, 1])('read every message of take %i as we do', async (take) => {
    const file = inject('example').episodes[take]!;
    const report = reportSchema.parse(await readWith('read_mcap.py', [file]));
    console.log('interop: episode read with', report.versions);
    const ours = await readOurselves(file);
    expect(report.indexed.topics).toEqual(ours.topics);
    expect(report.streamed.topics).toEqual(ours.topics);
    expect(report.rosbags.topics).toEqual(ours.topics);
    expect(report.rosbags.times).toEqual(ours.times);
    expect(report.rosbags.types).toEqual(ours.types);
    expect(report.indexed.jointSum).toBeCloseTo(ours.jointSum, 9);
    expect(report.rosbags.jointSum).toBeCloseTo(ours.jointSum, 9);
    expect(report.indexed.profile).toBe('ros2');
    expect(report.indexed.metadata).toEqual(
      expect.arrayContaining(['kinescribe.episode', 'kinescribe.ledger']),
    );
    expect(report.indexed.attachments).toEqual(ours.attachments);
  });
});

async function readOurselves(file: string) {
  await using reader = await EpisodeReader.open(file);
  const digests = new Map<string, { count: number; hash: Hash }>();
  const joints = [...reader.channels.values()].find(({ topic }) => topic === '/joint_states')!;
  const decode = createDecoder(joints);
  let jointSum = 0;
  for await (const { channel, logTime, data } of reader.messages()) {
    const digest = digests.get(channel.topic) ?? { count: 0, hash: createHash('sha256') };
    const time = Buffer.alloc(8);
    time.writeBigUInt64LE(logTime);
    digest.hash.update(time).update(data);
    digest.count++;
    digests.set(channel.topic, digest);
    if (channel.topic !== joints.topic) continue;
    const { position } = z.object({ position: z.instanceof(Float64Array) }).parse(decode(data));
    jointSum += position.reduce((sum, angle) => sum + angle, 0);
  }
  const attachments: [string, number][] = [];
  for await (const { name, data } of reader.attachments()) attachments.push([name, data.length]);
  return {
    topics: Object.fromEntries(
      [...digests].map(([topic, { count, hash }]) => [topic, [count, hash.digest('hex')]]),
    ),
    types: Object.fromEntries(
      [...reader.channels.values()].map(({ topic, schema }) => [topic, schema?.name]),
    ),
    times: [reader.startTime.toString(), reader.endTime.toString()],
    attachments: Object.fromEntries(attachments),
    jointSum,
  };
}
