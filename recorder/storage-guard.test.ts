import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StorageGuard } from './storage-guard.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kinescribe-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function discarded(guard: StorageGuard, name: string, ageSecs: number) {
  const file = join(directory, `${name}.mcap`);
  await writeFile(file, 'episode');
  await writeFile(join(directory, `${name}.labels.jsonl`), '');
  const target = await guard.discard(file);
  await utimes(target, 0, Date.now() / 1000 - ageSecs);
}

describe('StorageGuard', () => {
  it('look() tells what is left beside the reserve, and for how long at the running rate', async () => {
    const guard = new StorageGuard(directory, { reserveBytes: 0 });
    const part = join(directory, 'a-0001.mcap.part');
    await writeFile(part, Buffer.alloc(1e6)); // of before: no rate yet
    guard.takeBegan(part);
    expect((await guard.look()).bytesPerSec).toBeUndefined();
    const looked = performance.now();
    await delay(1100);
    await writeFile(part, Buffer.alloc(3e6));
    const { freeBytes, bytesPerSec, secsLeft, exhausted } = await guard.look();
    expect(bytesPerSec).toBeGreaterThan(0.8 * (2e6 / ((performance.now() - looked) / 1000)));
    expect(bytesPerSec).toBeLessThanOrEqual(2e6);
    expect(secsLeft).toBeCloseTo(freeBytes / bytesPerSec!);
    expect(exhausted).toBe(false);
    guard.takeEnded(4e6);
    expect(guard.status.takesLeft).toBe(Math.floor(guard.status.freeBytes / 4e6));
  });

  it('discard() keeps the episode and its labels together in the trash', async () => {
    await discarded(new StorageGuard(directory, { reserveBytes: 0 }), 'a-0001', 0);
    expect(await readdir(directory)).toEqual(['trash']);
    expect(await readdir(join(directory, 'trash'))).toEqual(['a-0001.labels.jsonl', 'a-0001.mcap']);
  });

  it('look() empties the trash oldest first, after saying so, when the reserve is touched', async () => {
    const said: string[] = [];
    const guard = new StorageGuard(directory, {
      reserveBytes: Number.MAX_SAFE_INTEGER,
      onWarning: ({ message }) => said.push(message),
    });
    await discarded(guard, 'a-0001', 10);
    await discarded(guard, 'a-0002', 20);
    await guard.look(); // nobody needs room
    expect(said).toEqual([]);
    guard.takeBegan(join(directory, 'a-0003.mcap.part'));
    const { exhausted } = await guard.look();
    expect(said.map((message) => /a-\d+/.exec(message)?.[0])).toEqual(['a-0002', 'a-0001']);
    expect(await readdir(join(directory, 'trash'))).toEqual([]);
    expect(exhausted).toBe(true);
  });

  it('look() leaves the trash alone while there is room', async () => {
    const guard = new StorageGuard(directory, { reserveBytes: 0 });
    await discarded(guard, 'a-0001', 10);
    await guard.look();
    expect(await readdir(join(directory, 'trash'))).toContain('a-0001.mcap');
  });
});
