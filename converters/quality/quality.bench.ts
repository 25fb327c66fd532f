import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { parseContract } from '../../schemas/contract-file.ts';
import type { EpisodeInfo } from '../../schemas/episode.ts';
import { EpisodeWriter } from '../../schemas/episode-writer.ts';
import { encodeJpeg } from '../../schemas/image-codec.ts';
import { createEncoder } from '../../schemas/message-codec.ts';
import { nanosToStamp } from '../../schemas/time.ts';
import { EPOCH, testChannel } from '../episode.fixture.ts';
import { checkEpisode } from './check-episode.ts';
import { CHECKS } from './checks.ts';
import { LiveChecks } from './live-checks.ts';
import { random } from './rig.fixture.ts';

const folder = await mkdtemp(join(tmpdir(), 'kinescribe-bench-'));
afterAll(() => rm(folder, { recursive: true }));

const CONTRACT = parseContract(
  `kinescribe: 1
name: bench
robot: { model: bench }
streams:
  joints: { topic: /joints, role: motion, type: sensor_msgs/msg/JointState, rateHz: 500 }
  wrench: { topic: /wrench, role: interaction, type: geometry_msgs/msg/WrenchStamped, rateHz: 500 }
  one: { topic: /one, role: perception, type: sensor_msgs/msg/Image, rateHz: 30, required: false }
  two: { topic: /two, role: perception, type: sensor_msgs/msg/Image, rateHz: 30, required: false }
  jpeg1: { topic: /jpeg1, role: perception, type: sensor_msgs/msg/CompressedImage, rateHz: 30, required: false }
  jpeg2: { topic: /jpeg2, role: perception, type: sensor_msgs/msg/CompressedImage, rateHz: 30, required: false }
  jpeg3: { topic: /jpeg3, role: perception, type: sensor_msgs/msg/CompressedImage, rateHz: 30, required: false }
features:
  observation.state: { kind: vector, stream: joints, field: position, shape: [7], toleranceSecs: 0.1 }
samples: { tickRateHz: 30 }
episode: { tasks: [bench] }
`,
  'bench.yaml',
).contract;

type Name = 'joints' | 'wrench' | 'one' | 'two' | 'jpeg1' | 'jpeg2' | 'jpeg3';

/** Messages of one stream: encoded once, stamped anew for every message. */
async function senderOf(name: Name) {
  const { topic, type, rateHz } = CONTRACT.streams[name]!;
  const spec = testChannel(topic, type);
  const encode = createEncoder(topic, spec.schema!);
  const header = { stamp: nanosToStamp(EPOCH), frame_id: '' };
  const next = random(1);
  const noise = (bytes: number) => Uint8Array.from({ length: bytes }, (_, i) => (i >> 12) + 16 * next());
  const value = async () => {
    if (name === 'joints')
      return { name: [...'abcdefg'], position: [0, 1, 2, 3, 4, 5, 6], velocity: [], effort: [] };
    if (name === 'wrench') return { wrench: { force: { x: 1, y: 2, z: 3 }, torque: { x: 0, y: 0, z: 0 } } };
    const [width, height] = name.startsWith('jpeg') ? [640, 480] : [1280, 720];
    const pixels = noise(width * height * 3);
    if (name.startsWith('jpeg')) return { format: 'jpeg', data: await encodeJpeg({ pixels, width, height }) };
    return { width, height, encoding: 'rgb8', step: width * 3, is_bigendian: 0, data: pixels };
  };
  const data = encode({ header, ...(await value()) }).slice();
  const view = new DataView(data.buffer);
  return {
    spec,
    rateHz: rateHz!,
    bytes: data.byteLength,
    at(time: bigint) {
      const { sec, nanosec } = nanosToStamp(time);
      view.setInt32(4, sec, true);
      view.setUint32(8, nanosec, true);
      return data;
    },
  };
}

test('LiveChecks at 166 MB/s: share of one core, all threads together', async () => {
  const senders = await Promise.all((['joints', 'wrench', 'one', 'two'] as const).map(senderOf));
  const secs = 10;
  const play = async (checks: LiveChecks | undefined) => {
    checks?.takeStarted({ task: 'bench' } as EpisodeInfo, EPOCH);
    for (const [key, { spec }] of senders.entries()) checks?.channel(key, spec);
    const before = process.cpuUsage();
    const sent = senders.map(() => 0);
    const start = performance.now();
    for (let now = 0; now < secs; now = (performance.now() - start) / 1000) {
      for (const [key, sender] of senders.entries()) {
        for (; sent[key]! < now * sender.rateHz; sent[key]!++) {
          const logTime = EPOCH + BigInt(Math.round((sent[key]! / sender.rateHz) * 1e9));
          checks?.message({ channelKey: key, logTime, data: sender.at(logTime) });
        }
      }
      await delay(5);
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6 / secs;
  };
  await using checks = new LiveChecks({ contract: CONTRACT, calibration: undefined, version: '1' });
  await play(checks); // compiles and warms up
  const [without, withChecks] = [await play(undefined), await play(checks)];
  const rate = senders.reduce((sum, { bytes, rateHz }) => sum + bytes * rateHz, 0) / 1e6;
  console.log(
    `${rate.toFixed(0)} MB/s: ${((withChecks - without) * 100).toFixed(1)} % of one core for all live checks`,
  );
  expect(rate).toBeGreaterThan(150);
}, 120_000);

test('checkEpisode() of 60 s with three JPEG cameras: multiple of real time', async () => {
  const file = join(folder, 'take.mcap');
  const senders = await Promise.all((['joints', 'wrench', 'jpeg1', 'jpeg2', 'jpeg3'] as const).map(senderOf));
  const writer = await EpisodeWriter.open(file, { durability: 'none' });
  const ids = senders.map(({ spec }) => writer.addChannel(spec));
  const secs = 60;
  const messages = senders.flatMap((sender, i) =>
    Array.from({ length: secs * sender.rateHz }, (_, n) => ({
      sender,
      channelId: ids[i]!,
      nanos: Math.round((n / sender.rateHz) * 1e9),
    })),
  );
  messages.sort((a, b) => a.nanos - b.nanos);
  for (const [sequence, { sender, channelId, nanos }] of messages.entries()) {
    const logTime = EPOCH + BigInt(nanos);
    await writer.write({ channelId, sequence, logTime, publishTime: logTime, data: sender.at(logTime) });
  }
  await writer.close();
  await checkEpisode(file, { checks: CHECKS, contract: CONTRACT });
  const [start, before] = [performance.now(), process.cpuUsage()];
  const { findings } = await checkEpisode(file, { checks: CHECKS, contract: CONTRACT });
  const { user, system } = process.cpuUsage(before);
  const wall = (performance.now() - start) / 1000;
  const cpu = (user + system) / 1e6;
  console.log(
    `${(secs / wall).toFixed(1)} × real time, ${(secs / cpu).toFixed(1)} × per CPU second, ${findings.length} findings`,
  );
  expect(findings.length).toBeGreaterThan(50);
}, 300_000);
