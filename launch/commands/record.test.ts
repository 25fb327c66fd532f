import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { currentLabel, readLabels } from '../../schemas/labels.ts';
import type { RecordingNow } from '../../viewer/api.ts';

const root = join(import.meta.dirname, '..', '..');
let out: string;
beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), 'kinescribe-record-'));
});
afterEach(() => rm(out, { recursive: true }));

/** `kinescribe record` in a process of its own, driven through its page. */
class RecordProcess implements AsyncDisposable {
  readonly #child = spawn(
    process.execPath,
    [
      ...['launch/bin.js', 'record', '-c', 'launch/contracts/demo-arm.yaml', '-s', 'demo', '-o', out],
      ...['--serve', '0', '--metrics', '--token', 'secret'],
    ],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  readonly #ended = once(this.#child, 'exit');
  #page = new URL('http://unknown');

  static async open(): Promise<RecordProcess> {
    const process = new RecordProcess();
    for await (const text of createInterface({ input: process.#child.stdout })) {
      const url = /^Operator's page +(\S+)$/.exec(text)?.[1];
      if (!url) continue;
      process.#page = new URL(url);
      break;
    }
    process.#child.stdout.resume();
    return process;
  }

  get pagePath(): string {
    return this.#page.pathname;
  }

  ask(path: string, command?: object): Promise<Response> {
    return fetch(new URL(path + this.#page.search, this.#page), {
      ...(command && { method: 'POST', body: JSON.stringify(command) }),
      headers: { 'content-type': 'application/json' },
    });
  }

  async command(command: object): Promise<RecordingNow> {
    const answer = await this.ask('/api/recording', command);
    expect(answer.status).toBe(200);
    return (await answer.json()) as RecordingNow;
  }

  /** @returns the exit code; null after a signal that it cannot hear. */
  async kill(signal: NodeJS.Signals): Promise<number | null> {
    this.#child.kill(signal);
    const [code] = await this.#ended;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill('SIGKILL');
  }
}

const takes = async () => (await readdir(out)).filter((name) => /\.mcap/.test(name));

describe('record --serve', () => {
  it('records what its page says, without a terminal, until it is told to end', async () => {
    await using recording = await RecordProcess.open();
    expect(recording.pagePath).toBe('/record');
    await recording.command({ kind: 'start' });
    expect(await (await recording.ask('/metrics')).text()).toContain('kinescribe_state{state="recording"} 1');
    expect([0, 3]).toContain(await recording.kill('SIGTERM')); // 3: a busy machine lost messages
    expect(await takes()).toEqual(['demo-arm-0001.mcap']);
  });

  it('loses no take and counts none twice when it is killed in review', async () => {
    await writeFile(
      join(out, 'plan.yaml'),
      `
kinescribe: 1
targets:
  - { task: Pick up the red block and place it on the green target., count: 3 }
`,
    );
    const start = { kind: 'start' };
    const stop = { kind: 'stop' };
    const success = { kind: 'keep', outcome: 'success' };
    {
      await using recording = await RecordProcess.open();
      for (const command of [start, stop, success, start]) await recording.command(command);
      expect((await recording.command(stop)).state).toBe('review');
      await recording.kill('SIGKILL');
    }
    await using recording = await RecordProcess.open();
    const status = (await (await recording.ask('/api/recording')).json()) as RecordingNow;
    expect(status).toMatchObject({ state: 'idle', plan: { done: 1, count: 3 } });
    expect(await takes()).toEqual(['demo-arm-0001.mcap', 'demo-arm-0002.mcap']);
    expect(currentLabel(await readLabels(join(out, 'demo-arm-0002.mcap')), 'outcome')).toBeUndefined();
    for (const command of [start, stop]) await recording.command(command);
    expect(await recording.command(success)).toMatchObject({ plan: { done: 2, next: { left: 1 } } });
    expect(await takes()).toContain('demo-arm-0003.mcap');
  });
});
