import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseContract } from '../schemas/contract-file.ts';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { UsageError } from '../schemas/errors.ts';
import { currentLabel, readLabels } from '../schemas/labels.ts';
import type { RecordingCommand } from '../schemas/recording-control.ts';
import { secsToNanos } from '../schemas/time.ts';
import type { FinishedTake } from './finished-take.ts';
import { Recorder } from './recorder.ts';
import { RecordingSession } from './recording-session.ts';
import { ScriptedSource } from './scripted-source.ts';

const contractFile = parseContract(
  `
kinescribe: 1
name: desk
robot: { model: test-arm }
streams:
  joints: { topic: /joints, role: motion, type: test_msgs/msg/Joints, rateHz: 100, maxGapSecs: 0.05 }
features: {}
samples: { tickRateHz: 10 }
episode: { tasks: [pick the block, push the block], scenes: [left, right], objects: [cup], maxDurationSecs: 60 }
`,
  'desk.yaml',
);
const { contract } = contractFile;
const start = { kind: 'start' } as const;
const stop = { kind: 'stop' } as const;
const keep = { kind: 'keep' } as const;

let directory: string;
let source: ScriptedSource;
let recorder: Recorder;
let session: RecordingSession;
let takes: FinishedTake[];
let troubles: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kinescribe-'));
  source = new ScriptedSource(
    [{ topic: '/joints', messageEncoding: 'json', schema: undefined, metadata: new Map() }],
    secsToNanos(1_700_000_000),
  );
  recorder = await Recorder.open(source, { contractFile, directory, version: 'test' });
  takes = [];
  troubles = [];
  session = new RecordingSession(recorder, {
    contract,
    task: 'pick the block',
    operator: 'op-1',
    onTake: (take) => takes.push(take),
    onTrouble: (message) => troubles.push(message),
  });
});
afterEach(async () => {
  await session.end();
  await recorder.close();
  await rm(directory, { recursive: true, force: true });
});

/** The robot sends for some seconds of its own clock. */
function send(secs: number): void {
  for (let i = 0; i < secs * 100; i++) {
    const logTime = source.clock.time + secsToNanos(0.01);
    source.send({ channelKey: 0, logTime, data: new TextEncoder().encode(`{"i":${i}}`) });
  }
}

/** Gives commands in turn; a number lets the robot send for so many seconds. */
async function play(...script: (RecordingCommand | number)[]): Promise<void> {
  for (const step of script) {
    if (typeof step === 'number') send(step);
    else await session.command(step);
  }
}

const files = async () => (await readdir(directory)).filter((name) => name.endsWith('.mcap'));

describe('RecordingSession', () => {
  it('records, labels and discards as the commands say', async () => {
    await play(start, 1, stop, { kind: 'keep', outcome: 'success' });
    await play(start, 1, stop, { kind: 'discard' });
    await play(start, 2, stop, { kind: 'quality', value: 4 }, { kind: 'keep', outcome: 'failure' });
    expect(takes.map(({ id, durationSecs }) => [id, Math.round(durationSecs)])).toEqual([
      ['desk-0001', 1],
      ['desk-0002', 1],
      ['desk-0003', 2],
    ]);
    expect(await files()).toEqual(['desk-0001.mcap', 'desk-0003.mcap']);
    const labels = await readLabels(takes[2]!.file);
    expect(currentLabel(labels, 'outcome')).toBe('failure');
    expect(currentLabel(labels, 'quality')).toBe(4);
    expect(session.status()).toMatchObject({ state: 'idle', kept: 2, discarded: 1 });
    expect(session.lossy).toBe(false);
  });

  it('one button starts, stops, and keeps before the next start', async () => {
    const toggle = { kind: 'toggle' } as const;
    await play(toggle, 1, toggle, toggle, 1, toggle);
    await session.end();
    expect(await files()).toEqual(['desk-0001.mcap', 'desk-0002.mcap']);
  });

  it('two operators who press start at once start one take', async () => {
    const presses = await Promise.allSettled([session.command(start), session.command(start)]);
    expect(presses.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect((presses[1] as PromiseRejectedResult).reason).toBeInstanceOf(UsageError);
    await play(stop, keep);
    expect(await files()).toEqual(['desk-0001.mcap']);
  });

  it.each([
    ['stop', stop],
    ['keep', keep],
    ['discard', { kind: 'discard' } as const],
    ['mistake', { kind: 'mistake' } as const],
    ['pause', { kind: 'pause' } as const],
    ['a task that the contract does not know', { kind: 'describe', task: 'dance' } as const],
    ['a scene that it does not know', { kind: 'describe', scene: 'moon' } as const],
    ['an object that it does not know', { kind: 'describe', object: 'bowl' } as const],
  ])('refuses %s while idle', async (_what, command) => {
    await expect(session.command(command)).rejects.toThrow(UsageError);
  });

  it('end() stops and keeps a running take', async () => {
    await play(start, 1);
    await session.end();
    expect(await files()).toEqual(['desk-0001.mcap']);
  });

  it('obeys nobody after its end', async () => {
    await session.end();
    await expect(session.command(start)).rejects.toThrow(/ended/);
    expect(recorder.state).toBe('idle');
  });

  it('listen() calls back after commands and troubles, until it is ended', async () => {
    let calls = 0;
    const unlisten = session.listen(() => calls++);
    await play(start);
    expect(calls).toBe(1);
    await expect(session.command(start)).rejects.toThrow(UsageError);
    expect(calls).toBe(2);
    unlisten();
    await play(1, stop);
    expect(calls).toBe(2);
  });

  it('tells the quality that the take in review will be kept with', async () => {
    await play(start, 1, stop, { kind: 'quality', value: 4 });
    expect(session.status().quality).toBe(4);
    await play(keep, start);
    expect(session.status().quality).toBeUndefined();
  });

  it('the next take is of the task and the operator that were named', async () => {
    await play({ kind: 'describe', task: 'push the block', operator: 'op-2' }, start, 1, stop);
    expect(session.status()).toMatchObject({ task: 'push the block', operator: 'op-2', state: 'review' });
    expect(session.status().review).toMatchObject({ id: 'desk-0001', losses: [] });
  });

  it('remembers task, operator, scene and object from take to take, and stores them with the session', async () => {
    await play({ kind: 'describe', operator: 'op-2', scene: 'left', object: 'cup' }, start, 1, stop, keep);
    await play({ kind: 'describe', scene: null }, start, 1, stop, keep);
    const infos = await Promise.all(
      takes.map(async ({ file }) => {
        await using reader = await EpisodeReader.open(file);
        return reader.info();
      }),
    );
    const { session: id } = session.status();
    const both = { task: 'pick the block', operator: 'op-2', object: 'cup', session: id };
    expect(infos).toMatchObject([{ ...both, scene: 'left' }, both]);
    expect(infos[1]).not.toHaveProperty('scene');
    expect(id).toMatch(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ-[0-9a-f]{6}$/);
  });

  it('shows a loss between two takes for as long as it takes to see it', async () => {
    send(1);
    source.clock.time += secsToNanos(0.2);
    send(0.5);
    const trouble = () => session.status().streams[0]?.trouble;
    expect(trouble()).toBe('lossy');
    send(5);
    expect(trouble()).toBeUndefined();
    expect(session.status().streams[0]?.lost).toBe(20);
    await play(start, 1);
    source.clock.time += secsToNanos(0.2);
    await play(6);
    expect(trouble()).toBe('lossy'); // a take does not forget
  });

  it('is lossy once a kept take lost more than the contract tolerates', async () => {
    await play(start, stop, { kind: 'discard' });
    expect(session.lossy).toBe(false);
    await play(start, stop, keep);
    expect(takes[1]!.ledger.losses).toMatchObject([{ topic: '/joints', cause: 'silent' }]);
    expect(session.lossy).toBe(true);
  });

  it('ends a take by itself at the longest duration of the contract', async () => {
    await play(start, 61);
    await expect.poll(() => session.status().state).toBe('review');
  });

  it('stays idle when the folder of the library has vanished', async () => {
    await rm(directory, { recursive: true });
    await expect(session.command(start)).rejects.toThrow();
    expect(session.status().state).toBe('idle');
  });
});
