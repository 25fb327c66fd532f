import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SourceError } from '../schemas/errors.ts';
import { createDecoder, createSensorTimeReader } from '../schemas/message-codec.ts';
import { NANOS_PER_SEC } from '../schemas/time.ts';
import { ReceivedMessages } from './received.fixture.ts';
import { openRosNode, type RosNode } from './ros-node.ts';
import { openRosSource } from './ros-source.ts';
import { missingRos, Robot, useOwnGraph } from './ros-test-robot.ts';
import {
  BEST_EFFORT,
  CAMERA,
  JOINTS,
  payloads,
  STATE,
  type TestStream,
  TF_STATIC,
  WRENCH,
} from './ros-test-streams.ts';
import type { Source, SourceSink } from './source.ts';

const reason = missingRos();
if (reason) console.log(`Tests against a ROS 2 graph are skipped. ${reason}`);
useOwnGraph();

const cleanup: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

async function openSource(sink: SourceSink, topics?: ReadonlySet<string>): Promise<Source> {
  const source = await openRosSource();
  cleanup.push(() => source.stop());
  await source.start(sink, topics ? { topics } : {});
  return source;
}

async function openRobot(name: string, ...streams: readonly TestStream[]): Promise<Robot> {
  const robot = await Robot.open(name, ...streams);
  cleanup.push(() => robot.kill());
  return robot;
}

/** A second node of the test's own process. */
async function openObserver(): Promise<RosNode> {
  const node = await openRosNode({
    name: 'observer',
    onFault(error) {
      throw error;
    },
  });
  cleanup.push(() => node.close());
  return node;
}

describe.skipIf(reason)('openRosSource() on a ROS 2 graph', () => {
  it('delivers every message of four streams as it was sent', async () => {
    const robot = await openRobot('robot', JOINTS, WRENCH, CAMERA, TF_STATIC);
    const received = new ReceivedMessages();
    const source = await openSource(received);
    await received.connected(JOINTS, WRENCH, CAMERA, TF_STATIC);
    const before = source.clock.now();
    await robot.publish();
    await received.complete(JOINTS, WRENCH, CAMERA, TF_STATIC);
    for (const stream of [JOINTS, WRENCH, CAMERA, TF_STATIC]) {
      const times = received.of(stream).map(({ logTime }) => logTime);
      expect(times).toEqual(times.toSorted((a, b) => Number(a - b)));
      expect(times[0]).toBeGreaterThan(before);
    }
    expect(received.warnings).toEqual([]);
    await source.stop();
    expect(received.failure).toBeUndefined();
  });

  it('describes channels as rosbag2 does, with definitions that decode', async () => {
    await openRobot('robot', JOINTS, TF_STATIC);
    const received = new ReceivedMessages();
    await openSource(received);
    await received.connected(JOINTS, TF_STATIC);
    const joints = received.channelOf(JOINTS)!;
    expect(joints.messageEncoding).toBe('cdr');
    expect(joints.schema!.encoding).toBe('ros2msg');
    const qos = joints.metadata.get('offered_qos_profiles')!;
    expect(qos).toMatch(/^- history: \w+\n {2}depth: \d+\n {2}reliability: (reliable|1)\n/);
    expect(received.channelOf(TF_STATIC)!.metadata.get('offered_qos_profiles')).toMatch(
      /durability: (transient_local|1)\n/,
    );
    expect(joints.metadata.get('topic_type_hash')).toMatch(
      process.env.ROS_DISTRO === 'humble' ? /^$/ : /^RIHS01_[0-9a-f]{64}$/,
    );
    const payload = await payloads(JOINTS);
    expect(createDecoder(joints)(payload(5))).toMatchObject({ header: { frame_id: 'robot' } });
    expect(createSensorTimeReader(joints)!(payload(5))).toBe(5n * NANOS_PER_SEC);
  });

  it('receives latched messages that were sent before it came', async () => {
    const robot = await openRobot('robot', TF_STATIC);
    await robot.publish();
    const received = new ReceivedMessages();
    await openSource(received);
    await received.complete(TF_STATIC);
  });

  it('picks up a wanted topic that appears later, and no other', async () => {
    const received = new ReceivedMessages();
    await openSource(received, new Set([WRENCH.topic]));
    const robot = await openRobot('robot', STATE, WRENCH);
    await received.connected(WRENCH);
    await robot.publish();
    await received.complete(WRENCH);
    expect([...received.channels.values()].map(({ topic }) => topic)).toEqual([WRENCH.topic]);
  });

  it('goes on in the same channel when a killed publisher comes back', async () => {
    const received = new ReceivedMessages();
    const first = await openRobot('robot', STATE);
    await openSource(received, new Set([STATE.topic]));
    await received.connected(STATE);
    await first.publish();
    await received.complete(STATE);
    await first.kill();
    const second = await openRobot('robot', STATE);
    await vi.waitFor(
      async () => {
        await second.publish();
        expect(received.of(STATE).length).toBeGreaterThan(STATE.count);
      },
      { timeout: 15_000, interval: 500 },
    );
    expect(received.channels.size).toBe(1);
  });

  it('says when the last publisher of a topic has left', async () => {
    const received = new ReceivedMessages();
    const robot = await openRobot('robot', STATE);
    await openSource(received, new Set([STATE.topic]));
    await received.connected(STATE);
    await robot.leave();
    await vi.waitFor(() => expect(received.warning('publishers-gone')?.topic).toBe(STATE.topic), {
      timeout: 10_000,
    });
    expect(received.warnings).toHaveLength(1);
    await openRobot('robot', STATE);
    await vi.waitFor(
      () =>
        expect(received.offers).toEqual([
          [STATE.topic, false],
          [STATE.topic, true],
        ]),
      { timeout: 10_000 },
    );
  });

  it('says that a topic has two types, and records what the middleware lets it', async () => {
    const other: TestStream = { ...STATE, type: 'std_msgs/msg/Float64' };
    const received = new ReceivedMessages();
    const robot = await openRobot('robot', STATE);
    await openSource(received);
    await received.connected(STATE);
    const intruder = await openRobot('intruder', other);
    await vi.waitFor(() => expect(received.warning('second-type')?.message).toContain('"/intruder"'), {
      timeout: 10_000,
    });
    await delay(300);
    await Promise.all([robot.publish(), intruder.publish()]);
    const isRecorded = received.channelOf(other) !== undefined;
    await received.complete(...(isRecorded ? [STATE, other] : [STATE]));
    expect(received.warning('second-type')!.message).toContain(isRecorded ? 'Both are' : 'not recorded');
    expect(received.warning('missing-type')).toBeUndefined();
  });

  it('subscribes anew when a publisher comes that the first subscription cannot hear', async () => {
    const received = new ReceivedMessages();
    await openRobot('robot', STATE);
    await openSource(received);
    await received.connected(STATE);
    const other = await openRobot('other', { ...STATE, qos: BEST_EFFORT });
    await vi.waitFor(() => expect(received.warning('qos-changed')?.topic).toBe(STATE.topic), {
      timeout: 10_000,
    });
    await delay(500);
    await other.publish();
    await vi.waitFor(() => expect(received.of(STATE).length).toBeGreaterThan(STATE.count / 2), {
      timeout: 10_000,
    });
  });

  it('asks for the quality of service of the contract, and says when a publisher offers less', async () => {
    const received = new ReceivedMessages();
    const source = await openRosSource();
    cleanup.push(() => source.stop());
    const qos = new Map([
      [STATE.topic, { reliability: 'reliable' }],
      [WRENCH.topic, { reliability: 'best_effort' }],
    ] as const);
    await source.start(received, { qos });
    const robot = await openRobot('robot', { ...STATE, qos: BEST_EFFORT }, WRENCH);
    await received.connected(STATE, WRENCH);
    await robot.publish();
    await received.complete(WRENCH);
    expect(received.of(STATE)).toEqual([]);
    expect(received.warning('qos-unmatched')?.message).toContain('"/robot"');
    expect(received.warnings).toHaveLength(1);
  });

  it('is the node that its arguments say, under their names', async () => {
    const received = new ReceivedMessages();
    const robot = await openRobot('robot', STATE, WRENCH);
    const args = ['-r', '__node:=taker', '-r', '__ns:=/cell', '-r', `/mine:=${STATE.topic}`];
    const source = await openRosSource({ args });
    cleanup.push(() => source.stop());
    await source.start(received, { topics: new Set(['/mine']) });
    const mine = { ...STATE, topic: '/mine' };
    await received.connected(mine);
    await robot.publish();
    await received.complete(mine);
    expect(received.channels.size).toBe(1);
    const observer = await openObserver();
    await vi.waitFor(
      () =>
        expect(observer.publishers('/cell/parameter_events').map(({ node }) => node)).toContain(
          '/cell/taker',
        ),
      { timeout: 10_000 },
    );
  });

  it('takes its log times from /clock under use_sim_time, and goes on when the simulation is reset', async () => {
    const simulation = await openObserver();
    const clock = simulation.advertise('/clock', 'rosgraph_msgs/msg/Clock', BEST_EFFORT);
    const tick = (secs: number) => clock.publish(Uint8Array.of(0, 1, 0, 0, secs, 0, 0, 0, 5, 0, 0, 0));
    const booting = setInterval(() => tick(50), 20);
    cleanup.push(() => clearInterval(booting));
    const source = await openRosSource({ args: ['-p', 'use_sim_time:=true'] });
    cleanup.push(() => source.stop());
    clearInterval(booting);
    const received = new ReceivedMessages();
    await source.start(received, { topics: new Set([STATE.topic]) });
    const robot = await openRobot('robot', STATE);
    await received.connected(STATE);
    expect(source.clock.now()).toBe(50_000_000_005n);
    expect(source.clock.anchor).toBeUndefined();
    tick(3);
    await vi.waitFor(() => expect(source.clock.stepNanos!()).toBe(-47_000_000_000n));
    tick(4);
    await vi.waitFor(() => expect(source.clock.now()).toBe(51_000_000_005n));
    await robot.publish();
    await received.complete(STATE);
    expect(new Set(received.of(STATE).map(({ logTime }) => logTime))).toEqual(new Set([51_000_000_005n]));
  });

  it('loses nothing while the event loop stalls 100 ms again and again', async () => {
    const robot = await openRobot('robot', JOINTS);
    const received = new ReceivedMessages();
    await openSource(received);
    await received.connected(JOINTS);
    const stall = setInterval(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100), 300);
    cleanup.push(() => clearInterval(stall));
    await robot.publish();
    await received.complete(JOINTS);
  });

  it('breaks off with a SourceError, and the process lives, when the sink throws', async () => {
    const robot = await openRobot('robot', STATE);
    const received = new ReceivedMessages();
    received.message = () => {
      throw new RangeError('no room in the sink');
    };
    await openSource(received);
    await received.connected(STATE);
    await robot.publish();
    await vi.waitFor(() => expect(received.failure).toBeInstanceOf(SourceError), { timeout: 10_000 });
    expect(received.failure!.message).toContain('no room in the sink');
  });

  it('can be opened again after a sink that threw at the first channel', async () => {
    await openRobot('robot', STATE);
    const broken = new ReceivedMessages();
    broken.channel = () => {
      throw new RangeError('no channel');
    };
    const source = await openRosSource();
    cleanup.push(() => source.stop());
    // Whether the topic is there at once or only later depends on the middleware.
    await source.start(broken).catch((error) => broken.failed(error));
    await vi.waitFor(() => expect(broken.failure?.message).toContain('no channel'), { timeout: 10_000 });
    await source.stop();
    const received = new ReceivedMessages();
    await openSource(received);
    await received.connected(STATE);
  });

  it('delivers nothing after stop() has resolved', async () => {
    const robot = await openRobot('robot', JOINTS);
    const received = new ReceivedMessages();
    const source = await openSource(received);
    await received.connected(JOINTS);
    const published = robot.publish();
    await delay(300);
    await source.stop();
    const count = received.messages.length;
    expect(count).toBeGreaterThan(0);
    await published;
    expect(received.messages).toHaveLength(count);
  });
});
