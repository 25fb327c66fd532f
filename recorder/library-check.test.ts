import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseContract } from '../schemas/contract-file.ts';
import { UsageError } from '../schemas/errors.ts';
import { checkLibrary } from './library-check.ts';
import { Recorder } from './recorder.ts';
import { ScriptedSource } from './scripted-source.ts';

const TEXT = `
kinescribe: 1
name: desk
robot: { model: test-arm }
streams:
  joints: { topic: /joints, role: motion, type: test_msgs/msg/Joints, rateHz: 100, required: false }
features: {}
samples: { tickRateHz: 10 }
episode: { tasks: [pick the block] }
`;
const contractOf = (from: string, to: string) => parseContract(TEXT.replace(from, to), 'desk.yaml');

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kinescribe-'));
  const contractFile = parseContract(TEXT, 'desk.yaml');
  const recorder = await Recorder.open(new ScriptedSource([], 1n), {
    contractFile,
    directory,
    version: 'test',
  });
  await recorder.startTake({ task: 'pick the block', operator: 'op-1' });
  await recorder.close();
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('checkLibrary()', () => {
  it.each([
    ['the same contract', '', ''],
    ['another task', 'pick the block', 'push the block'],
    ['another comment', 'kinescribe: 1', '# our desk\nkinescribe: 1'],
    ['a contract of another name', 'name: desk', 'name: bench'],
  ])('goes on with %s', async (_what, from, to) => {
    await expect(checkLibrary(directory, contractOf(from, to))).resolves.toBeUndefined();
  });

  it.each([
    ['another rate', 'rateHz: 100', 'rateHz: 50', 'streams.joints.rateHz: 100 → 50'],
    ['another tick rate', 'tickRateHz: 10', 'tickRateHz: 20', 'samples.tickRateHz: 10 → 20'],
    ['another robot', 'test-arm', 'other-arm', 'robot.model: "test-arm" → "other-arm"'],
  ])('refuses %s and shows the difference', async (_what, from, to, difference) => {
    const checking = checkLibrary(directory, contractOf(from, to));
    await expect(checking).rejects.toThrow(UsageError);
    await expect(checking).rejects.toThrow(difference);
  });

  it('goes on in a folder that does not exist yet', async () => {
    await expect(checkLibrary(join(directory, 'new'), contractOf('', ''))).resolves.toBeUndefined();
  });
});
