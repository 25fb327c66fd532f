import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { parseContract } from '../schemas/contract-file.ts';
import { secsToNanos } from '../schemas/time.ts';
import { Recorder } from './recorder.ts';
import { RecordingSession } from './recording-session.ts';
import { ScriptedSource } from './scripted-source.ts';

export const START_TIME = secsToNanos(1_700_000_000);
const TASK = 'pick the block';
const contractFile = parseContract(
  `
kinescribe: 1
name: desk
robot: { model: test-arm }
streams: { camera: { topic: /camera, role: perception, type: test_msgs/msg/Image } }
features: {}
samples: { tickRateHz: 10 }
episode: { tasks: [${TASK}] }
`,
  'desk.yaml',
);

/** A disk of so many megabytes for the tests of this file; undefined without the right to mount one. */
export function smallDisk(megabytes: number): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'kinescribe-disk-'));
  const mount = ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', directory];
  const isMounted = spawnSync('mount', mount).status === 0;
  afterAll(() => {
    if (isMounted) execFileSync('umount', [directory]);
    rmSync(directory, { recursive: true });
  });
  return isMounted ? directory : undefined;
}

/** A session that records one camera, channel 0 of its source, to a disk. */
export async function recordTo(directory: string, reserveBytes: number) {
  const spec = { topic: '/camera', messageEncoding: 'json', schema: undefined, metadata: new Map() };
  const source = new ScriptedSource([spec], START_TIME);
  const recorder = await Recorder.open(source, { contractFile, directory, version: 'test', reserveBytes });
  const { contract } = contractFile;
  const troubles: string[] = [];
  const session = new RecordingSession(recorder, {
    contract,
    task: TASK,
    operator: 'op-1',
    onTrouble: (message) => troubles.push(message),
  });
  return { source, recorder, session, troubles };
}
