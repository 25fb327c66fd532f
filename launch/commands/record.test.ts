import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';

const root = join(import.meta.dirname, '../..');
let library: string;
beforeAll(async () => {
  library = await mkdtemp(join(tmpdir(), 'kinescribe-signals-'));
});
afterAll(() => rm(library, { recursive: true }));

it('record() completes the running take however often it is told to end', { timeout: 60_000 }, async () => {
  const contract = 'launch/contracts/demo-arm.yaml';
  const args = ['launch/bin.js', 'record', '-s', 'demo', '-c', contract, '-o', library, '-d', '60'];
  const child = spawn(process.execPath, [...args, '--no-checks'], { cwd: root, stdio: 'ignore' });
  const filesEnding = async (suffix: string) =>
    (await readdir(library)).filter((name) => name.endsWith(suffix));
  try {
    await vi.waitFor(async () => expect(await filesEnding('.part')).toHaveLength(1), { timeout: 40_000 });
    const exit = once(child, 'exit');
    for (const signal of ['SIGINT', 'SIGINT', 'SIGTERM', 'SIGTERM'] as const) {
      child.kill(signal);
      await delay(5); // at the same instant two of a kind are one
    }
    const [code] = await exit;
    expect([0, 3]).toContain(code); // 3: the demo's streams are not all there from the first instant
  } finally {
    child.kill('SIGKILL');
  }
  expect([await filesEnding('.mcap'), await filesEnding('.part')]).toEqual([['demo-arm-0001.mcap'], []]);
});
