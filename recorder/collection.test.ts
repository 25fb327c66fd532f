import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { contract, contractFile } from '../schemas/fixtures/plan.ts';
import { appendLabel } from '../schemas/labels.ts';
import { parsePlan } from '../schemas/plan-file.ts';
import type { RecordingCommand } from '../schemas/recording-control.ts';
import { secsToNanos } from '../schemas/time.ts';
import { Collection } from './collection.ts';
import { Recorder } from './recorder.ts';
import { RecordingSession } from './recording-session.ts';
import { ScriptedSource } from './scripted-source.ts';

const plan = parsePlan(
  `
kinescribe: 1
targets:
  - { task: pick it up, object: blue cup, scene: left, count: 2 }
  - { task: push it, operator: op-2, count: 1 }
  - { task: pick it up, object: red cup, count: 1 }
`,
  'plan.yaml',
  contract,
);
const start = { kind: 'start' } as const;
const stop = { kind: 'stop' } as const;
const success = { kind: 'keep', outcome: 'success' } as const;
const failure = { kind: 'keep', outcome: 'failure' } as const;

let directory: string;
let session: RecordingSession;
let recorder: Recorder;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kinescribe-'));
  await open();
});
afterEach(async () => {
  await close();
  await rm(directory, { recursive: true });
});

/** A run of the recorder; the library is all that it finds of runs before. */
async function open(): Promise<void> {
  const collection = await Collection.open(directory, plan);
  const source = new ScriptedSource([], secsToNanos(1_700_000_000));
  recorder = await Recorder.open(source, { contractFile, directory, version: 'test' });
  session = new RecordingSession(recorder, { contract, task: 'push it', operator: 'op-1', collection });
}
async function close(): Promise<void> {
  await session.end();
  await recorder.close();
}
async function play(...commands: readonly RecordingCommand[]): Promise<void> {
  for (const command of commands) await session.command(command);
}
const asked = () => {
  const { task, object, scene, plan } = session.status();
  return { task, object, scene, left: plan?.next?.left };
};
const BLUE = { task: 'pick it up', object: 'blue cup', scene: 'left' };

describe('RecordingSession with a plan', () => {
  it('is told by the plan what comes next, and counts successful takes alone', async () => {
    expect(asked()).toEqual({ ...BLUE, left: 2 });
    await play(start, stop, failure);
    await play(start, stop, { kind: 'keep' });
    await play(start, stop, { kind: 'discard' });
    expect(asked()).toEqual({ ...BLUE, left: 2 });
    await play(start, stop, success);
    expect(asked()).toEqual({ ...BLUE, left: 1 });
    await play(start, stop, success);
    // The second target is somebody else's; what the third leaves open stays as it was.
    expect(asked()).toEqual({ task: 'pick it up', object: 'red cup', scene: 'left', left: 1 });
    await play({ kind: 'describe', operator: 'op-2' });
    expect(asked()).toMatchObject({ task: 'push it', left: 1 });
    await play(start, stop, success, start, stop, success);
    expect(session.status().plan).toEqual({ next: undefined, done: 4, count: 4 });
  });

  it('lets the operator have his way for one kept take', async () => {
    await play({ kind: 'describe', object: 'red cup', scene: 'right' }, start, stop, { kind: 'discard' });
    expect(asked()).toMatchObject({ object: 'red cup', scene: 'right', left: 2 });
    await play(start, stop, success);
    expect(asked()).toEqual({ ...BLUE, left: 2 });
    expect(session.status().plan?.done).toBe(1);
  });

  it('hears the operator who takes over and says what he records in one word', async () => {
    await play({ kind: 'describe', operator: 'op-2', object: 'red cup' });
    expect(asked()).toMatchObject({ task: 'pick it up', object: 'red cup' });
  });

  it('counts what the library holds after a restart: no take of a run before is lost or counted twice', async () => {
    await play(start, stop, success, start, stop); // ended in review: kept without a word
    await close();
    await open();
    expect(asked()).toEqual({ ...BLUE, left: 1 });
    const time = new Date().toISOString();
    const file = join(directory, 'desk-0002.mcap');
    await appendLabel(file, { author: 'op-1', time, label: { kind: 'outcome', value: 'success' } });
    await writeFile(join(directory, 'broken.mcap'), 'no recording');
    await play(start, stop, { kind: 'keep' });
    expect(session.status().plan).toMatchObject({ done: 2, next: { target: { object: 'red cup' } } });
  });
});
