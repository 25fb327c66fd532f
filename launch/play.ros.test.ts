import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadDefinition } from '../recorder/definitions.ts';
import { ReceivedMessages } from '../recorder/received.fixture.ts';
import { readRosEnvironment } from '../recorder/ros-environment.ts';
import { openRosSource } from '../recorder/ros-source.ts';
import { missingRos, useOwnGraph } from '../recorder/ros-test-robot.ts';
import {
  CAMERA,
  JOINTS,
  payloads,
  type TestStream,
  TF_STATIC,
  WRENCH,
} from '../recorder/ros-test-streams.ts';
import { EpisodeWriter } from '../schemas/episode-writer.ts';
import { channelSpec } from '../schemas/fixtures/episodes.ts';
import { secsToNanos } from '../schemas/time.ts';

const reason = missingRos();
if (reason) console.log(`Tests against a ROS 2 graph are skipped. ${reason}`);
useOwnGraph();

const START_TIME = 1_700_000_000_000_000_000n;
const STREAMS = [TF_STATIC, JOINTS, WRENCH, CAMERA];
const CLOCK = { topic: '/clock', type: 'rosgraph_msgs/msg/Clock' };
const JSON_CHANNEL = { ...channelSpec('/notes'), messageEncoding: 'json', schema: undefined };

let directory: string;
let file: string;
const cleanup: (() => Promise<unknown>)[] = [];

/** One second of four streams, the latched one at its beginning, and a topic that no ROS 2 node can publish. */
beforeAll(async () => {
  if (reason) return;
  directory = await mkdtemp(join(tmpdir(), 'kinescribe-'));
  file = join(directory, 'take.mcap');
  const writer = await EpisodeWriter.open(file);
  const messages = [];
  for (const stream of STREAMS) {
    const channelId = writer.addChannel(await specOf(stream));
    const payload = await payloads(stream);
    for (let index = 0; index < stream.count; index++) {
      const logTime = START_TIME + secsToNanos(index / stream.rateHz);
      messages.push({ channelId, sequence: index, logTime, publishTime: logTime, data: payload(index) });
    }
  }
  const notes = writer.addChannel(JSON_CHANNEL);
  messages.push({
    channelId: notes,
    sequence: 0,
    logTime: START_TIME,
    publishTime: START_TIME,
    data: Buffer.from('{}'),
  });
  for (const message of messages) await writer.write(message);
  await writer.close();
});
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});
afterAll(async () => {
  if (!reason) await rm(directory, { recursive: true });
});

async function specOf({ topic, type, qos }: TestStream) {
  const schema = await loadDefinition(type, readRosEnvironment().prefixes);
  const offered = `- depth: ${qos.depth}\n  reliability: ${qos.reliability}\n  durability: ${qos.durability}\n`;
  return { topic, messageEncoding: 'cdr', schema, metadata: new Map([['offered_qos_profiles', offered]]) };
}

async function listen(): Promise<ReceivedMessages> {
  const received = new ReceivedMessages();
  const source = await openRosSource();
  cleanup.push(() => source.stop());
  await source.start(received);
  return received;
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `kinescribe play` on the episode as a process of its own; a busy machine connects slowly. */
function play(...options: string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const bin = join(import.meta.dirname, 'bin.js');
  const child = spawn(process.execPath, [bin, 'play', file, '--delay', '3', ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  cleanup.push(async () => child.kill('SIGKILL'));
  const words = Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { child, ended: words.then(([stdout, stderr, [code]]) => ({ code, stdout, stderr })) };
}

describe.skipIf(reason)('kinescribe play', () => {
  it('publishes every message as it was recorded, under new names where they are given', async () => {
    const received = await listen();
    const { ended } = play('--remap', `${JOINTS.topic}:=/replayed/joints`);
    const { code, stdout, stderr } = await ended;
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(
      `Published ${STREAMS.reduce((sum, { count }) => sum + count, 0)} messages on 4 topics`,
    );
    expect(stderr).toContain('"/notes" is not published');
    for (const stream of STREAMS) {
      const topic = stream === JOINTS ? '/replayed/joints' : stream.topic;
      expect(await received.differences({ ...stream, topic })).toEqual([]);
    }
    expect([...received.channels.values()].map(({ topic }) => topic)).not.toContain(JOINTS.topic);
  });

  it('keeps the recorded quality of service, and latched messages for who comes late', async () => {
    play('--topics', 'tf_static|camera', '--rate', '0.2');
    await delay(4500);
    const received = await listen();
    await vi.waitFor(async () => expect(await received.differences(TF_STATIC)).toEqual([]), {
      timeout: 10_000,
    });
    expect(received.channelOf(TF_STATIC)!.metadata.get('offered_qos_profiles')).toMatch(
      /durability: (transient_local|1)\b/,
    );
  });

  it('begins later, leaves topics out, and publishes the recorded time', async () => {
    const received = await listen();
    const { ended } = play('--start', '0.5', '--exclude', 'camera', '--clock', '100', '--rate', '0.5');
    expect((await ended).code).toBe(0);
    expect(await received.differences(TF_STATIC)).toEqual([]); // all of it lies before the start
    expect(received.of(JOINTS)).toHaveLength(JOINTS.count / 2);
    expect(received.channelOf(CAMERA)).toBeUndefined();
    const ticks = received.of(CLOCK).map(({ data }) => {
      const view = new DataView(data.buffer);
      return secsToNanos(view.getInt32(4, true)) + BigInt(view.getUint32(8, true));
    });
    expect(ticks.length).toBeGreaterThan(10); // of one second at 100 Hz; a busy machine skips some
    expect(ticks).toEqual(ticks.toSorted((a, b) => Number(a - b)));
    expect(ticks[0]).toBeGreaterThanOrEqual(START_TIME + secsToNanos(0.5));
    expect(ticks.at(-1)).toBeGreaterThan(START_TIME + secsToNanos(0.7));
  });

  it('plays again and again until Ctrl+C, and ends cleanly', async () => {
    const received = await listen();
    const { child, ended } = play('--loop', '--rate', '4', '--topics', JOINTS.topic);
    await vi.waitFor(() => expect(received.of(JOINTS).length).toBeGreaterThan(1.5 * JOINTS.count), {
      timeout: 15_000,
    });
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    expect(code, stderr).toBe(0);
    const published = Number(/Published (\d+) messages on 1 topics/.exec(stdout)?.[1]);
    await vi.waitFor(() => expect(received.of(JOINTS)).toHaveLength(published));
  });

  it.each([
    [['--remap', 'joints'], '--remap "joints"'],
    [['--rate', '0'], '--rate 0'],
    [['--start', '60'], 'it ends after 1.0 s'],
    [['--topics', 'nothing'], 'no topic of it is chosen'],
  ])('refuses %j', async (options, words) => {
    const { code, stderr } = await play(...options).ended;
    expect(stderr).toContain(words);
    expect(code).toBe(2);
  });
});
