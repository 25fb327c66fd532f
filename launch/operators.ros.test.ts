import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RosCaller } from '../recorder/ros-caller.fixture.ts';
import { openRosNode } from '../recorder/ros-node.ts';
import { offerToRos } from '../recorder/ros-operator.ts';
import { missingRos, useOwnGraph } from '../recorder/ros-test-robot.ts';
import { currentLabel, readLabels } from '../schemas/labels.ts';
import { MonotonicClock } from '../schemas/time.ts';
import { byCommands, type OpenOperator, recordedBy } from './recorded-by.fixture.ts';

const reason = missingRos();
if (reason) console.log(`The controls of the ROS 2 graph are not compared with the others. ${reason}`);
useOwnGraph();

const byServices: OpenOperator = async (session) => {
  const fail = (fault: unknown) => {
    throw fault;
  };
  const node = await openRosNode({ name: 'kinescribe', onFault: fail });
  const withdraw = offerToRos(session, { node, clock: new MonotonicClock(), onRefused: fail });
  const caller = await RosCaller.open();
  return {
    do: async (deed) => expect(await caller.trigger(`/kinescribe/${deed}`)).toMatchObject({ success: true }),
    [Symbol.asyncDispose]: async () => {
      await caller[Symbol.asyncDispose]();
      withdraw();
      node.close();
    },
  };
};

it.skipIf(reason)('an operator records by ROS 2 services what plain commands record', async () => {
  const recorded = await recordedBy(byServices);
  expect(recorded).toEqual(await recordedBy(byCommands));
  expect(recorded.takes).toEqual({ kept: 1, discarded: 1 });
});

it.skipIf(reason)('record needs neither terminal nor page where the ROS 2 graph drives it', async () => {
  const out = await mkdtemp(join(tmpdir(), 'kinescribe-record-'));
  const root = join(import.meta.dirname, '..');
  const line = `record -c launch/contracts/demo-arm.yaml -s ros2 -o ${out}`;
  const child = spawn(process.execPath, ['launch/bin.js', ...line.split(' ')], {
    cwd: root,
    stdio: 'ignore',
  });
  const exit = once(child, 'exit');
  try {
    await using caller = await RosCaller.open();
    const answers = [];
    for (const word of ['start', 'stop', 'success'])
      answers.push(await caller.trigger(`/kinescribe/${word}`));
    expect(answers).toMatchObject([
      { message: 'recording demo-arm-0001' },
      { success: true },
      { success: true },
    ]);
    child.kill('SIGTERM');
    expect(await exit).toEqual([3, null]); // nothing was published, and the contract requires streams
    expect(currentLabel(await readLabels(join(out, 'demo-arm-0001.mcap')), 'outcome')).toBe('success');
  } finally {
    child.kill('SIGKILL');
    await rm(out, { recursive: true });
  }
});
