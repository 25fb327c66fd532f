import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { parseContract } from '../schemas/contract-file.ts';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { secsToNanos } from '../schemas/time.ts';
import { Recorder } from './recorder.ts';
import { RecordingSession } from './recording-session.ts';
import { ScriptedSource } from './scripted-source.ts';

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

const directory = mkdtempSync(join(tmpdir(), 'kinescribe-'));
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', directory]).status === 0;
afterAll(() => {
  if (mounted) execFileSync('umount', [directory]);
  rmSync(directory, { recursive: true });
});

it.skipIf(!mounted)(
  'a disk that fills up ends the take with a whole file and an exact ledger; the next start works (needs the right to mount)',
  async () => {
    const startTime = secsToNanos(1_700_000_000);
    const spec = { topic: '/camera', messageEncoding: 'json', schema: undefined, metadata: new Map() };
    const source = new ScriptedSource([spec], startTime);
    // No reserve: the guard steps aside, so that the disk itself refuses.
    const recorder = await Recorder.open(source, {
      contractFile,
      directory,
      version: 'test',
      reserveBytes: 0,
    });
    const troubles: string[] = [];
    const session = new RecordingSession(recorder, {
      contract: contractFile.contract,
      task: 'pick the block',
      operator: 'op-1',
      onTrouble: (message) => troubles.push(message),
    });
    await session.command({ kind: 'start' });
    let sent = 0;
    for (; session.status().state === 'recording' && sent < 2000; sent++) {
      const data = crypto.getRandomValues(new Uint8Array(20_000));
      source.send({ channelKey: 0, logTime: startTime + BigInt(sent), data });
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await expect.poll(() => session.status().state, { timeout: 10_000 }).toBe('review');
    expect(troubles.join()).toMatch(/ENOSPC|disk is full/);
    const { file, losses } = session.status().review!;
    const lost = losses.reduce((sum, { messages }) => sum + messages!, 0);
    {
      await using reader = await EpisodeReader.open(file);
      const written = [...reader.channels.values()].find(({ topic }) => topic === '/camera')!;
      expect(reader.isIndexed).toBe(true);
      const ledger = await reader.ledger();
      const received = ledger!.totals.find(({ topic }) => topic === '/camera')!.received;
      expect(received).toBeLessThanOrEqual(sent); // the last ones came while the file was being completed
      expect(reader.messageCounts.get(written.id)! + lost).toBe(received);
      expect(ledger!.losses).toEqual(losses);
    }
    await session.command({ kind: 'discard' });
    rmSync(join(directory, 'trash'), { recursive: true });
    await session.command({ kind: 'start' });
    await session.command({ kind: 'stop' });
    await session.end();
    await recorder.close();
    expect(readdirSync(directory).filter((name) => name.endsWith('.mcap'))).toHaveLength(1);
  },
);
