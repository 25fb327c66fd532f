import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FinishedTake, Recorder } from '../recorder/recorder.ts';
import { ScriptedSource } from '../recorder/scripted-source.ts';
import { parseContract } from '../schemas/contract-file.ts';
import { currentLabel, readLabels } from '../schemas/labels.ts';
import { secsToNanos } from '../schemas/time.ts';
import { type Control, runSession } from './session.ts';

const contractFile = parseContract(
  `
kinescribe: 1
name: desk
robot: { model: test-arm }
streams:
  joints: { topic: /joints, role: motion, type: test_msgs/msg/Joints, rateHz: 100, maxGapSecs: 0.05 }
features: {}
samples: { tickRateHz: 10 }
episode: { tasks: [pick the block], maxDurationSecs: 60 }
`,
  'desk.yaml',
);
const START = secsToNanos(1_700_000_000);

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kinescribe-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Runs a session whose controls also drive the robot: an entry is a control or seconds of messages. */
async function sessionOf(script: readonly (Control | number)[], signal = new AbortController().signal) {
  const source = new ScriptedSource(
    [{ topic: '/joints', messageEncoding: 'json', schema: undefined, metadata: new Map() }],
    START,
  );
  const recorder = await Recorder.open(source, { contractFile, directory, version: 'test' });
  const takes: FinishedTake[] = [];
  const troubles: string[] = [];
  async function* controls(): AsyncGenerator<Control> {
    for (const step of script) {
      if (typeof step === 'string') {
        yield step;
        continue;
      }
      for (let i = 0; i < step * 100; i++) {
        const logTime = source.clock.time + secsToNanos(0.01);
        source.send({ channelKey: 0, logTime, data: new TextEncoder().encode(`{"i":${i}}`) });
      }
    }
  }
  const lossy = await runSession(recorder, controls(), {
    contract: contractFile.contract,
    take: { task: 'pick the block', operator: 'op-1' },
    signal,
    onStatus: () => {},
    onTake: (take) => takes.push(take),
    onTrouble: (message) => troubles.push(message),
  });
  await recorder.close();
  return { lossy, takes, troubles, files: (await readdir(directory)).sort() };
}

describe('runSession()', () => {
  it('records, labels and discards as the controls say', async () => {
    const { takes, files, lossy } = await sessionOf([
      ...(['start-stop', 1, 'start-stop', 'success'] as const),
      ...(['start-stop', 1, 'start-stop', 'discard'] as const),
      ...(['start-stop', 2, 'start-stop', 'failure'] as const),
      'quit',
    ]);
    expect(lossy).toBe(false);
    expect(takes.map(({ id, durationSecs }) => [id, Math.round(durationSecs)])).toEqual([
      ['desk-0001', 1],
      ['desk-0002', 1],
      ['desk-0003', 2],
    ]);
    expect(files).toEqual([
      'desk-0001.labels.jsonl',
      'desk-0001.mcap',
      'desk-0003.labels.jsonl',
      'desk-0003.mcap',
      'trash',
    ]);
    expect(currentLabel(await readLabels(takes[2]!.file), 'outcome')).toBe('failure');
  });

  it('ignores controls that the state does not know', async () => {
    const { files, troubles } = await sessionOf([
      'success',
      'discard',
      'start-stop',
      'keep',
      1,
      'start-stop',
      'keep',
    ]);
    expect(files).toEqual(['desk-0001.mcap']);
    expect(troubles).toEqual([]);
  });

  it('starts the next take from review with one press', async () => {
    const { files } = await sessionOf(['start-stop', 1, 'start-stop', 'start-stop', 1, 'start-stop', 'keep']);
    expect(files).toEqual(['desk-0001.mcap', 'desk-0002.mcap']);
  });

  it('stops and keeps a running take when the controls end', async () => {
    expect((await sessionOf(['start-stop', 1])).files).toEqual(['desk-0001.mcap']);
  });

  it('says that a kept take lost messages', async () => {
    // The take ends long after the last message.
    const { lossy, takes } = await sessionOf([
      'start-stop',
      1,
      'start-stop',
      'keep',
      'start-stop',
      'start-stop',
      'keep',
    ]);
    expect(takes[1]!.ledger.losses).toMatchObject([{ topic: '/joints', cause: 'silent' }]);
    expect(lossy).toBe(true);
  });
});
