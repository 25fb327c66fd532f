import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { missingRos, Robot, useOwnGraph } from '../recorder/ros-test-robot.ts';
import { STATE, type TestStream, TRAJECTORY } from '../recorder/ros-test-streams.ts';
import { EpisodeReader } from '../schemas/episode-reader.ts';

const reason = missingRos();
if (reason) console.log(`Tests against a ROS 2 graph are skipped. ${reason}`);
useOwnGraph();

/** Publishes until it is killed. */
const ENDLESS: TestStream = { ...STATE, rateHz: 200, count: 100_000 };

let library: string;
const cleanup: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  library = await mkdtemp(join(tmpdir(), 'kinescribe-'));
});
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
  await rm(library, { recursive: true });
});

interface Run {
  readonly child: ChildProcess;
  /** All that it said. */
  readonly said: Promise<string>;
  readonly code: Promise<number | null>;
}

/** Runs `kinescribe record` on the graph, without a contract, as a process of its own. */
function record(options: string, environment: NodeJS.ProcessEnv = {}): Run {
  const bin = join(import.meta.dirname, 'bin.js');
  const child = spawn(process.execPath, [bin, 'record', '-o', library, ...options.split(' ')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  });
  cleanup.push(async () => child.kill('SIGKILL'));
  return { child, said: text(child.stdout!), code: once(child, 'exit').then(([code]) => code) };
}

async function filesOf(suffix: string): Promise<readonly string[]> {
  return (await readdir(library)).filter((name) => name.endsWith(suffix)).sort();
}

/** Waits until the running take has grown by messages: how soon they come depends on the middleware. */
async function untilRecorded(bytes: number): Promise<void> {
  let startBytes: number | undefined;
  await vi.waitFor(
    async () => {
      const files = await filesOf('.mcap.part');
      expect(files).toHaveLength(1);
      const { size } = await stat(join(library, files[0]!));
      startBytes ??= size;
      expect(size - startBytes).toBeGreaterThan(bytes);
    },
    { timeout: 30_000, interval: 100 },
  );
}

async function digestOf(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(join(library, file)))
    .digest('hex');
}

/** The numbers of the messages of an episode, as the robot counts them. */
async function numbersOf(file: string, stream: TestStream): Promise<readonly number[]> {
  await using reader = await EpisodeReader.open(join(library, file));
  const numbers: number[] = [];
  for await (const { data } of reader.messages({ topics: [stream.topic] })) {
    numbers.push(Number(/message (\d+)/.exec(Buffer.from(data).toString('latin1'))?.[1]));
  }
  return numbers;
}

describe.skipIf(reason)('kinescribe record on a ROS 2 graph', () => {
  it('ends a take whole on SIGINT and SIGTERM, and completes what SIGKILL left at the next start', {
    timeout: 90_000,
  }, async () => {
    const robot = await Robot.open('robot', ENDLESS);
    cleanup.push(() => robot.kill());
    void robot.publish().catch(() => {}); // it ends by being killed
    const digests = new Map<string, string>();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
      const { child, said, code } = record('--topics ^/state$ -d 60');
      await untilRecorded(8000);
      child.kill(signal);
      expect(await code, await said).toBe(signal === 'SIGKILL' ? null : 0);
      for (const file of await filesOf('.mcap'))
        digests.set(file, digests.get(file) ?? (await digestOf(file)));
    }
    expect(await filesOf('.mcap.part')).toHaveLength(1);
    const { child, said, code } = record('--topics ^/state$ -d 60');
    await vi.waitFor(async () => expect(await filesOf('.mcap')).toHaveLength(3), { timeout: 20_000 });
    await untilRecorded(8000);
    child.kill('SIGINT');
    expect(await code, await said).toBe(0);
    expect(await said).toContain('after a crash');
    expect(await filesOf('.mcap.part')).toEqual([]);
    const files = await filesOf('.mcap');
    expect(files).toHaveLength(4);
    for (const file of files) {
      const numbers = await numbersOf(file, ENDLESS);
      expect(numbers.length, file).toBeGreaterThan(50);
      expect(numbers).toEqual(numbers.map((_, index) => numbers[0]! + index)); // none is missing in between
    }
    for (const [file, digest] of digests) expect(await digestOf(file), file).toBe(digest);
  });

  it('says which type cannot be loaded, and records the other topics', async () => {
    const robot = await Robot.open('robot', STATE, TRAJECTORY);
    cleanup.push(() => robot.kill());
    const { said, code } = record('--topics ^/(state|trajectory)$ -d 4', {
      LD_LIBRARY_PATH: await librariesWithout('libtrajectory_msgs'),
    });
    await vi.waitFor(async () => expect(await filesOf('.mcap.part')).toHaveLength(1), { timeout: 20_000 });
    await new Promise((resolve) => setTimeout(resolve, 500));
    await robot.publish();
    expect(await code, await said).toBe(0);
    expect(await said).toMatch(/"\/trajectory" is not recorded.*ros-\w+-trajectory-msgs/s);
    const [file] = await filesOf('.mcap');
    const sent = Array.from({ length: STATE.count }, (_, index) => index);
    expect(await numbersOf(file!, STATE)).toEqual(sent);
  });
});

/** The search path of libraries without those of one package. */
async function librariesWithout(prefix: string): Promise<string> {
  const folders = (process.env.LD_LIBRARY_PATH ?? '').split(delimiter).filter(Boolean);
  const copies = await Promise.all(
    folders.map(async (folder, index) => {
      const copy = join(library, `libraries${index}`);
      await mkdir(copy);
      const names = await readdir(folder).catch(() => []); // a folder of the path need not be there
      const kept = names.filter((name) => !name.startsWith(prefix));
      await Promise.all(kept.map((name) => symlink(join(folder, name), join(copy, name))));
      return copy;
    }),
  );
  return copies.join(delimiter);
}
