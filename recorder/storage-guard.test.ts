import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
    const guard = new StorageGuard(directory, 0, () => {});
    const { freeBytes, secsLeft, exhausted } = await guard.look(1e6);
    expect(freeBytes).toBeGreaterThan(0);
    expect(secsLeft).toBeCloseTo(freeBytes / 1e6);
    expect(exhausted).toBe(false);
  });

  it('discard() keeps the episode and its labels together in the trash', async () => {
    await discarded(new StorageGuard(directory, 0, () => {}), 'a-0001', 0);
    expect(await readdir(directory)).toEqual(['trash']);
    expect(await readdir(join(directory, 'trash'))).toEqual(['a-0001.labels.jsonl', 'a-0001.mcap']);
  });

  it('look() empties the trash oldest first, after saying so, when the reserve is touched', async () => {
    const said: string[] = [];
    const guard = new StorageGuard(directory, Number.MAX_SAFE_INTEGER, (file) => said.push(file));
    await discarded(guard, 'a-0001', 10);
    await discarded(guard, 'a-0002', 20);
    const { exhausted } = await guard.look();
    expect(said.map((file) => file.split('/').at(-1))).toEqual(['a-0002.mcap', 'a-0001.mcap']);
    expect(await readdir(join(directory, 'trash'))).toEqual([]);
    expect(exhausted).toBe(true);
  });

  it('look() leaves the trash alone while there is room', async () => {
    const guard = new StorageGuard(directory, 0, () => {});
    await discarded(guard, 'a-0001', 10);
    await guard.look();
    expect(await readdir(join(directory, 'trash'))).toContain('a-0001.mcap');
  });
});
