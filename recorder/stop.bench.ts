import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { it } from 'vitest';
import { parseContract } from '../schemas/contract-file.ts';
import { readLibrary } from '../schemas/library.ts';
import { FullLoadSource } from './full-load.fixture.ts';
import { Recorder } from './recorder.ts';

/** Length of a take, seconds, and where it is written: the disk is what this measures. */
const TAKE_SECS = Number(process.env.BENCH_TAKE_SECS ?? 60);
const FOLDER = process.env.BENCH_FOLDER ?? tmpdir();

const contractFile = parseContract(
  `
kinescribe: 1
name: bench
robot: { model: test-arm }
streams: {}
features: {}
samples: { tickRateHz: 10 }
episode: { tasks: [pick the block] }
`,
  'bench.yaml',
);

it('from the stop control to an episode of the library, after a take at 166 MB/s', async () => {
  const directory = await mkdtemp(join(FOLDER, 'kinescribe-bench-'));
  const source = new FullLoadSource();
  const recorder = await Recorder.open(source, { contractFile, directory, version: 'bench', topics: EVERY });
  try {
    console.log(`fsync of 64 MiB here takes ${(await syncMillis(directory)).toFixed(0)} ms`);
    for (let take = 0; take < 3; take++) {
      await recorder.startTake({ task: 'pick the block', operator: 'bench' });
      const sentBefore = source.sentBytes;
      await delay(TAKE_SECS * 1000);
      const sent = source.sentBytes - sentBefore;
      const { queuedBytes } = recorder.status();
      const stopped = performance.now();
      const { file, bytes, ledger } = await recorder.stopTake();
      const stopMillis = performance.now() - stopped;
      const { episodes } = await readLibrary(directory);
      const visibleMillis = performance.now() - stopped;
      if (!episodes.includes(file)) throw new RangeError(`"${file}" is not in the library`);
      const lost = ledger.losses.reduce((sum, { messages }) => sum + (messages ?? 0), 0);
      console.log(
        `take ${take + 1}: ${TAKE_SECS} s, ${(bytes / 1e6).toFixed(0)} MB at ${(sent / 1e6 / TAKE_SECS).toFixed(0)} MB/s, ` +
          `${lost} messages lost, ${(queuedBytes / 1e6).toFixed(1)} MB queued at the stop; closed and named after ` +
          `${stopMillis.toFixed(0)} ms, listed after ${visibleMillis.toFixed(0)} ms`,
      );
      await recorder.discardTake();
      await rm(join(directory, 'trash'), { recursive: true });
    }
  } finally {
    await recorder.close();
    await rm(directory, { recursive: true });
  }
});

const EVERY = { has: () => true };

/** What the disk itself asks for a part of the last second of a take. */
async function syncMillis(directory: string): Promise<number> {
  await using file = await open(join(directory, 'sync'), 'w');
  await file.write(Buffer.alloc(64 << 20, 1));
  const started = performance.now();
  await file.sync();
  return performance.now() - started;
}
