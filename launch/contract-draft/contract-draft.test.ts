import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { convertEpisodes } from '../../converters/convert.ts';
import { webdataset } from '../../converters/webdataset/webdataset.ts';
import { ScriptedSource } from '../../recorder/scripted-source.ts';
import type { SourceSink } from '../../recorder/source.ts';
import { parseContract } from '../../schemas/contract-file.ts';
import { EpisodeWriter } from '../../schemas/episode-writer.ts';
import { UsageError } from '../../schemas/errors.ts';
import { channelSpec, temporaryFolder } from '../../schemas/fixtures/episodes.ts';
import { encodeJpeg } from '../../schemas/image-codec.ts';
import type { ChannelSpec, MessageValue } from '../../schemas/message.ts';
import { createEncoder } from '../../schemas/message-codec.ts';
import { nanosToStamp, secsToNanos } from '../../schemas/time.ts';
import { contractInit } from '../commands/contract-init.ts';
import { messageSchema } from '../demo-robot/definitions.ts';
import { draftContract } from './contract-draft.ts';
import { contractText } from './contract-text.ts';
import { observeRecording, observeSource } from './observation.ts';

const START = secsToNanos(1_700_000_000);
const DATA = join(import.meta.dirname, '../../../shared/data');

const spec = (topic: string, type: string): ChannelSpec => ({
  topic,
  messageEncoding: 'cdr',
  schema: messageSchema(type),
  metadata: new Map(),
});

/** Two seconds of a small robot: a camera, joints, a force sensor, a URDF, and ROS's own log. */
async function writeRecording(file: string): Promise<void> {
  const writer = await EpisodeWriter.open(file);
  const picture = await encodeJpeg({ pixels: new Uint8Array(65 * 48 * 3), width: 65, height: 48 });
  const name = ['joint1', 'joint2', 'gripper'];
  const vector = { x: 1, y: 2, z: 3 };
  const topics: [ChannelSpec, number, (header: object, i: number) => MessageValue][] = [
    [
      spec('/camera/wrist/image_raw/compressed', 'sensor_msgs/msg/CompressedImage'),
      20,
      (header) => ({ header, format: 'jpeg', data: picture }),
    ],
    [
      spec('/joint_states', 'sensor_msgs/msg/JointState'),
      100,
      (header, i) => ({
        header,
        name: i % 2 ? name.toReversed() : name,
        position: [0, i, 2],
        velocity: [],
        effort: [],
      }),
    ],
    [
      spec('/wrist/wrench', 'geometry_msgs/msg/WrenchStamped'),
      200,
      (header) => ({ header, wrench: { force: vector, torque: vector } }),
    ],
    [
      spec('/robot_description', 'std_msgs/msg/String'),
      0.5,
      () => ({ data: '<?xml version="1.0"?><robot name="Tiny: arm #2">' }),
    ],
  ];
  const messages = topics.flatMap(([channel, rateHz, value]) => {
    const channelId = writer.addChannel(channel);
    const encode = createEncoder(channel.topic, channel.schema!);
    return Array.from({ length: 2 * rateHz }, (_, i) => {
      const stamp = START + secsToNanos(i / rateHz);
      const data = encode(value({ stamp: nanosToStamp(stamp), frame_id: '' }, i));
      return { channelId, sequence: i, logTime: stamp + 2_000_000n, publishTime: stamp + 1_000_000n, data };
    });
  });
  const log = writer.addChannel(channelSpec('/rosout'));
  for (const message of messages.sort((a, b) => Number(a.logTime - b.logTime))) await writer.write(message);
  await writer.write({
    channelId: log,
    sequence: 0,
    logTime: START,
    publishTime: START,
    data: new Uint8Array(8),
  });
  await writer.close();
}

async function draftOf(file: string) {
  const text = contractText(draftContract(await observeRecording(file, 60), 'drafted'));
  return { text, file: parseContract(text, 'drafted.yaml') };
}

describe('draftContract()', () => {
  it('drafts a contract that converts the recording as it stands', async () => {
    await using folder = await temporaryFolder();
    const recording = join(folder.path, 'tiny.mcap');
    await writeRecording(recording);
    const { text, file } = await draftOf(recording);
    const { contract } = file;
    expect(contract.robot.model).toBe('Tiny: arm #2');
    expect(contract.streams).toMatchObject({
      wrist: { topic: '/camera/wrist/image_raw/compressed', role: 'perception', rateHz: 20, required: true },
      joint_states: { role: 'motion', rateHz: 100 },
      wrist_wrench: { role: 'interaction', rateHz: 200 },
      robot_description: { role: 'context', required: false },
    });
    expect(contract.features).toMatchObject({
      'observation.state': {
        field: 'position[name=joint1..joint2,gripper]',
        shape: [3],
        toleranceSecs: 0.02,
      },
      'observation.images.wrist': { width: 64, height: 48 },
      'observation.wrist_wrench': { field: ['wrench.force', 'wrench.torque'], shape: [6] },
      action: { stream: 'joint_states' },
    });
    expect(contract.samples).toMatchObject({ tickRateHz: 20, clock: 'sensor' });
    expect(text).toContain('# left out: /rosout (housekeeping of ROS)');
    expect(text).toContain('no stream of commands was found');

    const options = {
      contract: file,
      formats: [webdataset],
      directory: join(folder.path, 'out'),
      version: 'test',
    };
    const [dataset] = (await convertEpisodes([recording], options)).datasets;
    expect(dataset!.manifest.episodes[0]!.frames).toBeGreaterThan(35);
    expect(dataset!.manifest.features.map(({ invalidShare }) => invalidShare)).toEqual([0, 0, 0, 0]);
  });

  it('comments every line that was guessed', async () => {
    await using folder = await temporaryFolder();
    const recording = join(folder.path, 'tiny.mcap');
    await writeRecording(recording);
    const { text } = await draftOf(recording);
    const guessed =
      /^\s+(role|rateHz|required|field|toleranceSecs|width|unit|clock|tickRateHz|model|- ).*$/gm;
    const bare = [...text.matchAll(guessed)].map(([line]) => line).filter((line) => !line.includes(' # '));
    expect(bare).toEqual([]);
  });

  it('stays a sound contract when nothing is of use', async () => {
    await using folder = await temporaryFolder();
    const recording = join(folder.path, 'odd.mcap');
    const writer = await EpisodeWriter.open(recording);
    writer.addChannel(channelSpec('no/slash'));
    await writer.close();
    const { contract } = (await draftOf(recording)).file;
    expect(contract.streams).toEqual({});
    expect(contract.features).toEqual({});
  });

  it('survives definitions that lie and payloads that are garbage', async () => {
    await using folder = await temporaryFolder();
    const recording = join(folder.path, 'odd.mcap');
    const writer = await EpisodeWriter.open(recording);
    const ids = [
      writer.addChannel(spec('/joint_states', 'sensor_msgs/msg/JointState')),
      writer.addChannel(spec('/image', 'sensor_msgs/msg/CompressedImage')),
      writer.addChannel({
        ...channelSpec('/wrench'),
        messageEncoding: 'protobuf',
        metadata: new Map([['offered_qos_profiles', '- reliability: best_effort\n  durability: volatile']]),
      }),
      writer.addChannel(channelSpec('/image', 'other_msgs/msg/Image')),
    ];
    for (let i = 0; i < 20; i++) {
      const logTime = START + secsToNanos(i / 10);
      const data = new Uint8Array(i * 3).fill(255);
      for (const channelId of ids)
        await writer.write({ channelId, sequence: i, logTime, publishTime: logTime, data });
    }
    await writer.close();
    const { text, file } = await draftOf(recording);
    expect(Object.keys(file.contract.streams)).toHaveLength(3);
    expect(file.contract.features).toEqual({});
    expect(text).toContain('no feature: Cannot decode');
    expect(text).toContain('offered best_effort, volatile');
    expect(text).toContain('also seen on this topic: other_msgs/msg/Image');
  });

  it.for([
    ['crab_load_cell_gait/adya_gait.bag/adya_gait.bag_0.mcap', 380],
    ['rerun_mcap_fixtures/rosbag2_2025_09_10-13_03_56_0.mcap', 10],
  ] as const)('converts the real recording %s', async ([path, leastFrames], { skip }) => {
    const recording = join(DATA, path);
    skip(!existsSync(recording), 'real recordings are not at ../shared/data');
    await using folder = await temporaryFolder();
    const { file } = await draftOf(recording);
    const options = {
      contract: file,
      formats: [webdataset],
      directory: join(folder.path, 'out'),
      version: 'test',
    };
    const [dataset] = (await convertEpisodes([recording], options)).datasets;
    expect(dataset!.manifest.episodes[0]!.frames).toBeGreaterThan(leastFrames);
  });
});

describe('observeSource()', () => {
  it('drafts from what a source sends until it ends', async () => {
    const joints = spec('/joint_states', 'sensor_msgs/msg/JointState');
    const encode = createEncoder(joints.topic, joints.schema!);
    class Robot extends ScriptedSource {
      override async start(sink: SourceSink): Promise<void> {
        await super.start(sink);
        for (let i = 0; i < 100; i++) {
          const logTime = START + secsToNanos(i / 50);
          const header = { stamp: nanosToStamp(logTime), frame_id: '' };
          const data = encode({ header, name: ['a'], position: [i], velocity: [], effort: [] });
          this.send({ channelKey: 0, logTime, data });
        }
        sink.ended();
      }
    }
    const observation = await observeSource(new Robot([joints], START), 10);
    const { contract } = parseContract(contractText(draftContract(observation, 'live')), 'live.yaml');
    expect(contract.streams.joint_states).toMatchObject({ rateHz: 50, role: 'motion' });
    expect(contract.features['observation.state']).toMatchObject({ field: 'position[name=a]' });
  });
});

describe('contractInit()', () => {
  it('writes a new file and leaves an old one alone', async () => {
    await using folder = await temporaryFolder();
    const recording = join(folder.path, '2026 tiny arm!.mcap');
    await writeRecording(recording);
    const output = join(folder.path, 'tiny.yaml');
    expect(await contractInit([recording], { output })).toBe(0);
    const { contract } = parseContract(await readFile(output, 'utf8'), output);
    expect(contract.name).toBe('tiny-arm');
    await writeFile(output, 'mine');
    await expect(contractInit([recording], { output })).rejects.toBeInstanceOf(UsageError);
    expect(await readFile(output, 'utf8')).toBe('mine');
    expect((await readdir(folder.path)).sort()).toEqual(['2026 tiny arm!.mcap', 'tiny.yaml']);
  });

  it.each([
    ['neither a recording nor a source', [], {}],
    ['both', ['a.mcap'], { source: 'demo' }],
    ['a duration of nothing', ['a.mcap'], { duration: 0 }],
    ['a file that is not there', ['/nonexistent/a.mcap'], {}],
  ])('refuses %s', async (_, files, options) => {
    await expect(contractInit(files, options)).rejects.toBeInstanceOf(UsageError);
  });
});
