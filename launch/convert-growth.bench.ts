import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pictureContract, writePictureEpisode } from '../converters/picture-episodes.fixture.ts';
import { watchedProgram } from './process-memory.fixture.ts';

/**
 * Memory and time of a conversion while its input grows a hundredfold, once in episodes and once in their length.
 * Pictures are small, so that what grows with their number is not hidden behind their size.
 */
const FORMATS = (
  process.env.BENCH_FORMATS ?? 'lerobot,webdataset,rlds,zarr-zip,robomimic,act,vla-foundry'
).split(',');
/** Of all formats in one pass; `each` converts to one after the other. */
const PASSES = process.env.BENCH_PASSES === 'each' ? FORMATS : [FORMATS.join(',')];
const SIZES = process.env.BENCH_SIZES?.split(',').map(Number) ?? [1, 10, 100];
const RATE_HZ = 10;
/** Messages of each stream in one of many episodes, and in one second of a long one. */
const EPISODE_MESSAGES = 100;

let root: string;
let contract: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'growth-'));
  contract = join(root, 'contract.yaml');
  await writeFile(contract, pictureContract.text);
});
afterAll(() => rm(root, { recursive: true }));

async function measure(formats: string, library: string, what: string): Promise<void> {
  const out = join(root, 'out');
  const program = join(import.meta.dirname, 'bin.js');
  const args = [program, 'convert', library, '-c', contract, '-f', formats, '-o', out];
  const { output, secs, mebibytes } = await watchedProgram(process.execPath, args);
  const frames = Number(/(\d+) frames,/.exec(output)?.[1]);
  expect(frames).toBeGreaterThan(0);
  console.log(
    `${formats}, ${what}: ${frames} frames in ${secs.toFixed(1)} s, ${((1000 * secs) / frames).toFixed(2)} ms a frame; ` +
      `at most ${Math.max(...mebibytes).toFixed(0)} MiB`,
  );
  await rm(out, { recursive: true });
}

for (const formats of PASSES) {
  test.skipIf(!existsSync('/proc/self/status'))(
    `memory and time of ${formats} (needs /proc)`,
    async () => {
      for (const count of SIZES) {
        const library = join(root, `${count}-episodes`);
        await mkdir(library, { recursive: true });
        for (let episode = 0; episode < count; episode++) {
          const file = join(library, `take-${episode}.mcap`);
          await writePictureEpisode(file, { episode, messages: EPISODE_MESSAGES });
        }
        await measure(formats, library, `${count} episodes of ${EPISODE_MESSAGES / RATE_HZ} s`);
      }
      for (const times of SIZES) {
        const messages = EPISODE_MESSAGES * times;
        const library = join(root, `${messages}-messages`);
        await mkdir(library, { recursive: true });
        await writePictureEpisode(join(library, 'take.mcap'), { episode: 1, messages });
        await measure(formats, library, `1 episode of ${messages / RATE_HZ} s`);
      }
    },
    3_600_000,
  );
}
