import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { openFoxgloveSource } from '../recorder/foxglove-source.ts';
import { Recorder } from '../recorder/recorder.ts';
import type { SourceWarning } from '../recorder/source.ts';
import { type ContractFile, parseContract } from '../schemas/contract-file.ts';
import { EVENTS_TOPIC } from '../schemas/episode-events.ts';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { EpisodeWriter } from '../schemas/episode-writer.ts';
import { channelSpec, seededRandom, temporaryFolder } from '../schemas/fixtures/episodes.ts';
import type { Ledger } from '../schemas/ledger.ts';
import type { Channel } from '../schemas/message.ts';
import { startViewer } from './commands/view.ts';

const START = 1_700_000_000_000_000_000n;
const MILLI = 1_000_000n;
const LATCHED = new Map([
  ['offered_qos_profiles', '- history: keep_last\n  depth: 1\n  durability: transient_local\n'],
  ['topic_type_hash', 'RIHS01_00'],
]);

const contractFile: ContractFile = parseContract(
  `
kinescribe: 1
name: again
robot: { model: test-arm }
streams:
  fast: { topic: /fast, role: motion, type: std_msgs/msg/String, rateHz: 500 }
  burst: { topic: /burst, role: motion, type: std_msgs/msg/String }
  camera: { topic: /camera, role: perception, type: sensor_msgs/msg/CompressedImage, rateHz: 30 }
  static: { topic: /tf_static, role: context, type: std_msgs/msg/String }
features: {}
samples: { tickRateHz: 10 }
episode: { tasks: [pick the block] }
`,
  'again.yaml',
);

/** An episode with what makes a replay hard: equal times, a latched message that comes late, large payloads. */
async function writeOriginal(file: string, durationMillis: number): Promise<void> {
  const random = seededRandom(3);
  const writer = await EpisodeWriter.open(file);
  const channels = [
    channelSpec('/fast'),
    channelSpec('/burst'),
    channelSpec('/camera', 'sensor_msgs/msg/CompressedImage'),
    { ...channelSpec('/tf_static'), metadata: LATCHED },
  ].map((spec) => writer.addChannel(spec));
  const write = async (place: number, millis: number, bytes: number) => {
    const data = Uint8Array.from({ length: bytes }, () => random() * 256);
    const logTime = START + BigInt(Math.round(millis * 1e6));
    await writer.write({
      channelId: channels[place]!,
      sequence: 0,
      logTime,
      publishTime: logTime - MILLI,
      data,
    });
  };
  for (let millis = 0; millis < durationMillis; millis += 2) {
    await write(0, millis, 64);
    if (millis === 40) await write(3, millis + 0.5, 2000);
    if (millis % 50 === 20) for (let i = 0; i < 3; i++) await write(1, millis, 16);
    if (millis % 34 === 0) await write(2, millis, 40_000);
  }
  await writer.close();
}

/** What a recording must have in common with another one of the same replay. */
async function contentOf(file: string) {
  await using reader = await EpisodeReader.open(file);
  const describe = ({ topic, messageEncoding, schema, metadata }: Channel) => ({
    ...{ topic, messageEncoding, metadata: Object.fromEntries(metadata) },
    schema: schema && { ...schema, data: Buffer.from(schema.data).toString() },
  });
  const messages = new Map<string, string[]>();
  for await (const { channel, logTime, data } of reader.messages()) {
    const digest = createHash('sha256').update(data).digest('hex').slice(0, 12);
    const ofTopic = messages.get(channel.topic) ?? [];
    messages.set(channel.topic, [...ofTopic, `${logTime - START} ${digest}`]);
  }
  messages.delete(EVENTS_TOPIC); // of the take itself
  const channels = [...reader.channels.values()].filter(({ topic }) => topic !== EVENTS_TOPIC);
  return { channels: channels.map(describe).sort((a, b) => a.topic.localeCompare(b.topic)), messages };
}

interface Recording {
  readonly file: string;
  readonly ledger: Ledger;
  readonly warnings: readonly SourceWarning[];
}

/** Records a replay to its end; `meanwhile` may do to the server what it likes. */
async function recordReplay(
  url: string,
  directory: string,
  meanwhile: (recorder: Recorder) => Promise<void> = async () => {},
): Promise<Recording> {
  const source = await openFoxgloveSource(url);
  const warnings: SourceWarning[] = [];
  const recorder = await Recorder.open(source, {
    ...{ contractFile, directory, version: 'test' },
    onWarning: (warning) => warnings.push(warning),
  });
  await recorder.startTake({ task: 'pick the block', operator: 'test' });
  await meanwhile(recorder);
  await recorder.sourceEnded;
  expect(recorder.sourceError).toBeUndefined();
  const { file, ledger } = await recorder.stopTake();
  await recorder.close();
  return { file, ledger, warnings };
}

it('openFoxgloveSource() records a replay and the replay of that recording, message by message', async () => {
  await using folder = await temporaryFolder();
  const original = `${folder.path}/original.mcap`;
  await writeOriginal(original, 700);
  const content = await contentOf(original);
  let file = original;
  for (const name of ['second', 'third']) {
    const viewer = await startViewer([file], { port: 0 });
    const recording = await recordReplay(viewer.webSocketUrl, `${folder.path}/${name}`);
    await viewer.close();
    expect(await contentOf(recording.file)).toEqual(content);
    expect(recording.ledger.losses).toEqual([]);
    expect(recording.warnings).toEqual([]);
    file = recording.file;
  }
});

it('openFoxgloveSource() resumes a replay whose server is stopped and started, losing and doubling nothing', async () => {
  await using folder = await temporaryFolder();
  const original = `${folder.path}/original.mcap`;
  await writeOriginal(original, 1500);
  let viewer = await startViewer([original], { port: 0 });
  const port = Number(new URL(viewer.webSocketUrl).port);
  const received = (recorder: Recorder) =>
    recorder.status().streams.reduce((sum, stream) => sum + stream.received, 0);
  const { file, ledger, warnings } = await recordReplay(
    viewer.webSocketUrl,
    `${folder.path}/again`,
    async (recorder) => {
      for (const share of [60, 500]) {
        await vi.waitFor(() => expect(received(recorder)).toBeGreaterThan(share), {
          timeout: 10_000,
          interval: 5,
        });
        await viewer.close();
        await delay(50);
        viewer = await startViewer([original], { port });
      }
    },
  );
  await viewer.close();
  expect(await contentOf(file)).toEqual(await contentOf(original));
  expect(ledger.losses).toEqual([]);
  expect(warnings.map(({ kind }) => kind)).toEqual(Array(4).fill('connection'));
});
