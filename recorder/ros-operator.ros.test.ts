import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseContract } from '../schemas/contract-file.ts';
import { currentLabel, readLabels } from '../schemas/labels.ts';
import { secsToNanos } from '../schemas/time.ts';
import { Recorder } from './recorder.ts';
import { RecordingSession } from './recording-session.ts';
import { RosCaller } from './ros-caller.fixture.ts';
import { openRosNode, type RosNode } from './ros-node.ts';
import { offerToRos } from './ros-operator.ts';
import { missingRos, useOwnGraph } from './ros-test-robot.ts';
import { ScriptedSource } from './scripted-source.ts';

const reason = missingRos();
if (reason) console.log(`Driving a recording from the ROS 2 graph is not tested. ${reason}`);
useOwnGraph();

const contractFile = parseContract(
  `
kinescribe: 1
name: desk
robot: { model: test-arm }
streams:
  joints: { topic: /joints, role: motion, type: test_msgs/msg/Joints, rateHz: 100 }
features: {}
samples: { tickRateHz: 10 }
episode: { tasks: [pick the block, push the block], scenes: [left, right] }
`,
  'desk.yaml',
);
const { contract } = contractFile;

describe.skipIf(reason)('offerToRos()', () => {
  let directory: string;
  let recorder: Recorder;
  let session: RecordingSession;
  let node: RosNode;
  let withdraw: () => void;
  let caller: RosCaller;
  const faults: unknown[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kinescribe-'));
    const source = new ScriptedSource([], secsToNanos(1_700_000_000));
    recorder = await Recorder.open(source, { contractFile, directory, version: 'test' });
    session = new RecordingSession(recorder, { contract, task: 'pick the block', operator: 'op-1' });
    node = await openRosNode({ name: 'kinescribe', onFault: (error) => faults.push(error) });
    withdraw = offerToRos(session, { node, clock: source.clock, onRefused: (why) => faults.push(why) });
    caller = await RosCaller.open();
  });
  afterEach(async () => {
    await caller[Symbol.asyncDispose]();
    withdraw();
    node.close();
    await session.end();
    await recorder.close();
    await rm(directory, { recursive: true });
    expect(faults.splice(0)).toEqual([]);
  });

  it('carries out services, and tells the caller what is refused and why', async () => {
    expect(await caller.trigger('/kinescribe/stop')).toEqual({
      success: false,
      message: expect.stringContaining('needs the state "recording"'),
    });
    expect(await caller.trigger('/kinescribe/start')).toEqual({
      success: true,
      message: 'recording desk-0001',
    });
    expect((await caller.trigger('/kinescribe/mistake')).success).toBe(true);
    expect((await caller.trigger('/kinescribe/stop')).message).toBe('review desk-0001');
    expect(await caller.trigger('/kinescribe/failure')).toEqual({ success: true, message: 'idle' });
    expect(currentLabel(await readLabels(join(directory, 'desk-0001.mcap')), 'outcome')).toBe('failure');
    await caller.trigger('/kinescribe/start');
    await caller.trigger('/kinescribe/stop');
    await caller.trigger('/kinescribe/discard');
    expect((await readdir(directory)).filter((name) => name.endsWith('.mcap'))).toEqual(['desk-0001.mcap']);
  });

  it('starts one take when two nodes call start at once', async () => {
    await using other = await RosCaller.open();
    const answers = await Promise.all([caller, other].map((each) => each.trigger('/kinescribe/start')));
    expect(answers.map(({ success }) => success).sort()).toEqual([false, true]);
    expect(session.status()).toMatchObject({ state: 'recording', episodeId: 'desk-0001' });
  });

  it('takes task, operator and scene as parameters, and refuses what the contract does not list', async () => {
    expect(await caller.setParameter('/kinescribe', 'task', 'push the block')).toBe('');
    expect(await caller.setParameter('/kinescribe', 'operator', 'op-2')).toBe('');
    expect(await caller.setParameter('/kinescribe', 'scene', 'left')).toBe('');
    await vi.waitFor(() =>
      expect(session.status()).toMatchObject({ task: 'push the block', operator: 'op-2', scene: 'left' }),
    );
    expect(await caller.setParameter('/kinescribe', 'task', 'dance')).toContain('push the block');
    expect(await caller.setParameter('/kinescribe', 'operator', '')).not.toBe('');
    expect(await caller.setParameter('/kinescribe', 'scene', '')).toBe('');
    await vi.waitFor(() => expect(session.status().scene).toBeUndefined());
    await session.command({ kind: 'describe', task: 'pick the block' }); // another operator
    expect(await caller.getParameter('/kinescribe', 'task')).toBe('pick the block');
  });

  it('tells its state to whoever comes later, and its streams to monitors of the robot', async () => {
    await session.command({ kind: 'start' });
    const said = caller.listen<{ data: string }>('std_msgs/msg/String', '/kinescribe/status', {
      isLatched: true,
    });
    await vi.waitFor(() => expect(said).toHaveLength(1), { timeout: 10_000 });
    expect(JSON.parse(said[0]!.data)).toMatchObject({ state: 'recording', episodeId: 'desk-0001', kept: 0 });
    await session.command({ kind: 'stop' });
    await vi.waitFor(() => expect(JSON.parse(said.at(-1)!.data)).toMatchObject({ state: 'review' }));

    interface Diagnostics {
      readonly status: readonly { readonly name: string; readonly level: number; readonly message: string }[];
    }
    const heard = caller.listen<Diagnostics>('diagnostic_msgs/msg/DiagnosticArray', '/diagnostics');
    await vi.waitFor(() => expect(heard.length).toBeGreaterThan(0), { timeout: 10_000 });
    expect(heard[0]!.status).toMatchObject([
      { name: 'kinescribe: session', level: 0, message: 'review' },
      { name: 'kinescribe: storage', level: 0 },
      { name: 'kinescribe: stream joints', level: 3, message: expect.stringContaining('0.0 of 100 Hz') },
    ]);
  });
});
