import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

it('record --serve --metrics records what its page says, without a terminal, until it is told to end', async () => {
  const out = await mkdtemp(join(tmpdir(), 'kinescribe-record-'));
  const line = `record -c launch/contracts/demo-arm.yaml -s demo -o ${out} --serve 0 --metrics --token secret`;
  const child = spawn(process.execPath, ['launch/bin.js', ...line.split(' ')], { cwd: root });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  try {
    let page: URL | undefined;
    for await (const text of createInterface({ input: child.stdout })) {
      const url = /^Operator's page +(\S+)$/.exec(text)?.[1];
      if (!url) continue;
      page = new URL(url);
      break;
    }
    expect(page?.pathname).toBe('/record');
    const ask = (path: string, command?: object) =>
      fetch(new URL(path + page!.search, page), {
        ...(command && { method: 'POST', body: JSON.stringify(command) }),
        headers: { 'content-type': 'application/json' },
      });
    expect((await ask('/api/recording', { kind: 'start' })).status).toBe(200);
    expect(await (await ask('/metrics')).text()).toContain('kinescribe_state{state="recording"} 1');
    child.stdout.resume();
    child.kill('SIGTERM');
    expect([0, 3]).toContain(await ended); // 3: a busy machine lost messages of the simulated robot
    expect((await readdir(out)).filter((name) => name.endsWith('.mcap'))).toEqual(['demo-arm-0001.mcap']);
  } finally {
    child.kill('SIGKILL');
    await rm(out, { recursive: true });
  }
});
