import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { convertEpisodes } from './convert.ts';
import type { DatasetFormat } from './dataset-writer.ts';
import { lerobot } from './lerobot/lerobot.ts';
import { pictureContractOf, writePictureEpisode } from './picture-episodes.fixture.ts';
import { webdataset } from './webdataset/webdataset.ts';

/** Two cameras of 640 × 480; pairs of runs one after the other, as the machine may be busy with other things. */
const [WIDTH, HEIGHT, EPISODES, MESSAGES, PAIRS] = [640, 480, 4, 60, 3];
const contract = pictureContractOf(WIDTH, HEIGHT);

let root: string;
let files: string[];
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'bench-'));
  files = Array.from({ length: EPISODES }, (_, i) => join(root, `take-${i}.mcap`));
  const size = { messages: MESSAGES, width: WIDTH, height: HEIGHT };
  for (const [episode, file] of files.entries()) await writePictureEpisode(file, { episode, ...size });
}, 600_000);
afterAll(() => rm(root, { recursive: true }));

/** Frames per second of a whole conversion. */
async function rate(formats: readonly DatasetFormat[], workers: number): Promise<number> {
  const directory = await mkdtemp(join(root, 'out-'));
  const began = performance.now();
  const options = { contract, formats, directory, version: '0.0.0', workers };
  const { datasets } = await convertEpisodes(files, options);
  const secs = (performance.now() - began) / 1000;
  await rm(directory, { recursive: true });
  return datasets[0]!.manifest.frames / secs;
}

/** Prints both and the median of their ratios. */
async function compare(name: string, a: () => Promise<number>, b: () => Promise<number>): Promise<void> {
  const pairs: [number, number][] = [];
  for (let i = 0; i < PAIRS; i++) pairs.push([await a(), await b()]);
  const ratios = pairs.map(([first, second]) => second / first).sort((x, y) => x - y);
  const rates = pairs.map((pair) => pair.map((each) => each.toFixed(0)).join(' → ')).join(', ');
  console.log(`${name}: ${rates} frames/s; ratio ${ratios[PAIRS >> 1]!.toFixed(2)}`);
  expect(ratios.every((ratio) => ratio > 0)).toBe(true);
}

test(`${availableParallelism()} cores: 1 → 2 workers`, async () => {
  for (const format of [lerobot, webdataset]) {
    await compare(
      `${format.name}, 1 → 2 workers`,
      () => rate([format], 1),
      () => rate([format], 2),
    );
  }
});
