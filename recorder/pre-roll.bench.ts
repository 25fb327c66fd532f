import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { it } from 'vitest';
import { parseContract } from '../schemas/contract-file.ts';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { nanosToSecs } from '../schemas/time.ts';
import { FULL_LOAD, FullLoadSource } from './full-load.fixture.ts';
import { Recorder } from './recorder.ts';

const PRE_ROLL_SECS = 2;
const MAX_PRE_ROLL_BYTES = 512 << 20;
const contractFile = parseContract(
  `
kinescribe: 1
name: bench
robot: { model: test-arm }
streams: {}
features: {}
samples: { tickRateHz: 10 }
episode: { tasks: [pick the block], preRollSecs: ${PRE_ROLL_SECS} }
`,
  'bench.yaml',
);

it('memory of the pre-roll at 166 MB/s, and what a take then holds of it', async () => {
  const directory = await mkdtemp(join(process.env.BENCH_FOLDER ?? tmpdir(), 'kinescribe-bench-'));
  const before = process.memoryUsage().arrayBuffers;
  const recorder = await Recorder.open(new FullLoadSource(), {
    ...{ contractFile, directory, version: 'bench', maxPreRollBytes: MAX_PRE_ROLL_BYTES },
    topics: { has: () => true },
  });
  try {
    let most = 0;
    for (let i = 0; i < 200; i++) {
      await delay(50);
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    const wanted = PRE_ROLL_SECS * FULL_LOAD.reduce((sum, { rateHz, bytes }) => sum + rateHz * bytes, 0);
    console.log(
      `idle for 10 s: buffers take ${megabytes(most)} MB at most; ${PRE_ROLL_SECS} s are ${megabytes(wanted)} MB, ` +
        `the bound is ${megabytes(MAX_PRE_ROLL_BYTES)} MB`,
    );
    await recorder.startTake({ task: 'pick the block', operator: 'bench' });
    await delay(1000);
    const { file, startTime, ledger } = await recorder.stopTake();
    await using reader = await EpisodeReader.open(file);
    const lost = ledger.losses.reduce((sum, { messages }) => sum + (messages ?? 0), 0);
    console.log(
      `the take begins ${nanosToSecs(startTime - reader.startTime).toFixed(3)} s before its start, ${lost} messages lost`,
    );
  } finally {
    await recorder.close();
    await rm(directory, { recursive: true });
  }
});

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
