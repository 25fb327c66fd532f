import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { loadDefinition, loadTypeHash } from './definitions.ts';
import { ReceivedMessages } from './received.fixture.ts';
import { readRosEnvironment } from './ros-environment.ts';
import { openRosSource } from './ros-source.ts';
import { missingRos, Robot, useOwnGraph } from './ros-test-robot.ts';
import { JOINTS, STATE, type TestStream } from './ros-test-streams.ts';
import type { Source, SourceSink } from './source.ts';

const reason = missingRos();
if (reason) console.log(`Tests against a ROS 2 graph are skipped. ${reason}`);
useOwnGraph();

const cleanup: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

async function openSource(sink: SourceSink, topic: string): Promise<void> {
  const source = await openRosSource();
  cleanup.push(() => source.stop());
  await source.start(sink, { topics: new Set([topic]) });
}

/** A source where no package of message types is installed. */
async function openWithoutPackages(): Promise<Source> {
  const prefixes = process.env.AMENT_PREFIX_PATH;
  process.env.AMENT_PREFIX_PATH = '/nowhere';
  try {
    const source = await openRosSource();
    cleanup.push(() => source.stop());
    return source;
  } finally {
    process.env.AMENT_PREFIX_PATH = prefixes;
  }
}

async function openRobot(name: string, stream: TestStream): Promise<Robot> {
  const robot = await Robot.open(name, stream);
  cleanup.push(() => robot.kill());
  return robot;
}

/** A robot whose workspace has another definition of the stream's type: its library tells another hash. */
async function openRebuiltRobot(name: string, stream: TestStream): Promise<Robot> {
  const { prefixes } = readRosEnvironment();
  const library = `lib${stream.type.split('/')[0]}__rosidl_generator_c.so`;
  const file = prefixes.map((prefix) => join(prefix, 'lib', library)).find((path) => existsSync(path))!;
  const hash = Buffer.from((await loadTypeHash(stream.type, prefixes))!.replace('RIHS01_', ''), 'hex');
  const bytes = await readFile(file);
  for (let at = bytes.indexOf(hash); at >= 0; at = bytes.indexOf(hash)) bytes[at]! ^= 0xff;
  const directory = await mkdtemp(join(tmpdir(), 'kinescribe-rebuilt-'));
  cleanup.push(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, library), bytes);
  const path = process.env.LD_LIBRARY_PATH;
  process.env.LD_LIBRARY_PATH = `${directory}:${path}`;
  try {
    return await openRobot(name, stream);
  } finally {
    process.env.LD_LIBRARY_PATH = path;
  }
}

describe.skipIf(reason)('definitions of a ROS 2 graph', () => {
  it.skipIf(process.env.ROS_DISTRO === 'humble')(
    'goes on in a channel of its own when a publisher comes back with another definition',
    async () => {
      const received = new ReceivedMessages();
      const robot = await openRobot('robot', STATE);
      await openSource(received, STATE.topic);
      await received.connected(STATE);
      await robot.leave();
      const rebuilt = await openRebuiltRobot('robot', STATE);
      await vi.waitFor(() => expect(received.warning('definition-changed')?.topic).toBe(STATE.topic), {
        timeout: 10_000,
      });
      await delay(300);
      await rebuilt.publish();
      await vi.waitFor(() => expect(received.messages).toHaveLength(STATE.count), { timeout: 10_000 });
      expect(new Set(received.messages.map(({ channelKey }) => channelKey))).toEqual(new Set([1]));
      const hashes = received.channels.values().map(({ metadata }) => metadata.get('topic_type_hash'));
      expect(new Set(hashes).size).toBe(2);
      // The installed package has the old definition, and this robot's node does not tell its own.
      expect(received.disputes).toEqual([[STATE.topic, expect.stringContaining('installed here')]]);
    },
  );

  it.skipIf(process.env.ROS_DISTRO === 'humble')(
    'says that publishers disagree on a definition, and when they do no more',
    async () => {
      const received = new ReceivedMessages();
      await openRobot('robot', STATE);
      await openSource(received, STATE.topic);
      await received.connected(STATE);
      const intruder = await openRebuiltRobot('intruder', STATE);
      await vi.waitFor(() => expect(received.disputes.at(-1)?.[1]).toMatch(/"\/intruder" .*"\/robot" /), {
        timeout: 10_000,
      });
      await intruder.leave();
      await vi.waitFor(() => expect(received.disputes.at(-1)).toEqual([STATE.topic, undefined]), {
        timeout: 10_000,
      });
      expect(received.channels.size).toBe(1);
    },
  );

  it.skipIf(process.env.ROS_DISTRO === 'humble' || process.env.RMW_IMPLEMENTATION !== 'rmw_cyclonedds_cpp')(
    'asks the publisher for a definition that no package here holds',
    async () => {
      const { default: ros } = await import('rclnodejs');
      const context = new ros.Context();
      await ros.init(context, []);
      cleanup.push(async () => ros.shutdown(context));
      const describer = new ros.Node(
        'describer',
        '',
        context,
        new ros.NodeOptions(false, [], false, true, false),
        [],
        true,
      );
      describer.spin();
      const type = Object.assign(() => {}, {
        type: () => ({ pkgName: 'sensor_msgs', subFolder: 'msg', interfaceName: 'JointState' }),
      });
      describer.createPublisher(type, JOINTS.topic, { qos: new ros.QoS(1, 10, 1, 2) });
      const received = new ReceivedMessages();
      const source = await openWithoutPackages();
      await source.start(received, { topics: new Set([JOINTS.topic]) });
      await received.connected(JOINTS);
      const definition = await loadDefinition(JOINTS.type, readRosEnvironment().prefixes);
      // The service leaves out the last line break of every file.
      const lines = (schema = definition) =>
        new TextDecoder().decode(schema!.data).split(/\n+/).filter(Boolean);
      expect(lines(received.channelOf(JOINTS)!.schema)).toEqual(lines());
      expect(received.warnings).toEqual([]);
    },
  );

  it('records a type without its definition, and says so', async () => {
    const robot = await openRobot('robot', STATE);
    const received = new ReceivedMessages();
    const source = await openWithoutPackages();
    await source.start(received, { topics: new Set([STATE.topic]) });
    await received.connected(STATE);
    await robot.publish();
    await received.complete(STATE);
    expect(received.warning('missing-definition')?.topic).toBe(STATE.topic);
    expect(received.channelOf(STATE)!.schema!.data).toHaveLength(0);
  });
});
