import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { parseContract } from '../schemas/contract-file.ts';
import type { RecordingStatus } from '../schemas/recording-control.ts';
import { secsToNanos } from '../schemas/time.ts';
import { Recorder } from './recorder.ts';
import { RecordingSession } from './recording-session.ts';
import { ScriptedSource } from './scripted-source.ts';
import { StorageGuard } from './storage-guard.ts';

const contractFile = parseContract(
  `
kinescribe: 1
name: desk
robot: { model: test-arm }
streams: { camera: { topic: /camera, role: perception, type: test_msgs/msg/Image } }
features: {}
samples: { tickRateHz: 10 }
episode: { tasks: [pick the block] }
`,
  'desk.yaml',
);
const MESSAGE_BYTES = 50_000;
const BYTES_PER_SEC = 10e6;

const directory = mkdtempSync(join(tmpdir(), 'kinescribe-'));
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=72m', 'tmpfs', directory]).status === 0;
afterAll(() => {
  if (mounted) execFileSync('umount', [directory]);
  rmSync(directory, { recursive: true });
});

it.skipIf(!mounted)(
  'the forecast is within a tenth of how long the take then goes on (needs the right to mount)',
  async () => {
    const spec = { topic: '/camera', messageEncoding: 'json', schema: undefined, metadata: new Map() };
    const startTime = secsToNanos(1_700_000_000);
    const source = new ScriptedSource([spec], startTime);
    const recorder = await Recorder.open(source, {
      ...{ contractFile, directory, version: 'test', reserveBytes: 4e6 },
    });
    const { contract } = contractFile;
    const session = new RecordingSession(recorder, { contract, task: 'pick the block', operator: 'op-1' });
    const forecastOf = ({ durationSecs, storage }: RecordingStatus) => ({
      at: durationSecs,
      secsLeft: storage.secsLeft!,
    });
    await session.command({ kind: 'start' });
    const started = performance.now();
    const elapsedSecs = () => (performance.now() - started) / 1000;
    let forecast: ReturnType<typeof forecastOf> | undefined;
    for (let sent = 0; session.status().state === 'recording'; ) {
      for (; sent * MESSAGE_BYTES < elapsedSecs() * BYTES_PER_SEC; sent++) {
        const data = crypto.getRandomValues(new Uint8Array(MESSAGE_BYTES));
        source.send({ channelKey: 0, logTime: startTime + secsToNanos(elapsedSecs()), data });
      }
      if (elapsedSecs() > 3) forecast ??= forecastOf(session.status());
      await delay(5);
    }
    await expect.poll(() => session.status().state).toBe('review');
    const wentOnSecs = session.status().review!.durationSecs - forecast!.at;
    expect(Math.abs(forecast!.secsLeft - wentOnSecs) / wentOnSecs).toBeLessThan(0.1);
    expect(session.status().trouble).toContain('disk is full');
    expect(session.status().storage.takesLeft).toBe(0);

    // What lies in the trash is room again.
    const { bytes } = session.status().review!;
    await session.command({ kind: 'discard' });
    const guard = new StorageGuard(directory, { reserveBytes: 4e6 });
    expect((await guard.look()).freeBytes).toBeGreaterThan(bytes - 4e6); // less what it took of the reserve
    await session.end();
    await recorder.close();
  },
);
