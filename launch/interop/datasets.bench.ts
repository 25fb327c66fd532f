import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { convertEpisodes } from '../../converters/convert.ts';
import { type ContractFile, parseContract } from '../../schemas/contract-file.ts';
import { z } from '../../schemas/validation.ts';
import { formatsNamed } from '../formats.ts';
import { recordTakes, writeSource } from './example.ts';
import { pythonRunner } from './python.ts';
import { type PythonEnvironment, preparePython } from './python-environment.ts';

/**
 * Two takes of the simulated robot with two cameras at 640 × 480: the time from recording to LeRobot v3.0 against
 * LeRobot's own writer, what a DataLoader gets out of WebDataset against LeRobotDataset, and one pass for three
 * formats against three passes. Every figure is a ratio of runs turn by turn.
 */
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const TAKE_SECS = 10;
const LOAD_SECS = 8;

let directory: string;
let python: PythonEnvironment;
/** With pictures of 640 × 480, the cameras' own size. */
let contract: ContractFile;
let episodes: readonly string[];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kinescribe-bench-'));
  python = await preparePython(join(import.meta.dirname, '../../.venv'));
  contract = await contractWith(640, 480);
  episodes = await recordTakes(contract, join(directory, 'recordings'), [
    { seed: 31, durationSecs: TAKE_SECS, pictureScale: 2 },
    { seed: 32, durationSecs: TAKE_SECS, pictureScale: 2 },
  ]);
}, 600_000);

afterAll(() => rm(directory, { recursive: true, force: true }));

const timingSchema = z.object({ frames: z.int(), seconds: z.number(), cpuSeconds: z.number() });
const loadingSchema = z.object({
  samples: z.int(),
  seconds: z.number(),
  /** Of the pictures of one sample. */
  shape: z.array(z.int()),
  dtype: z.enum(['uint8', 'float32']),
  backend: z.string().nullable(),
});

/** The demo's contract with another size of pictures. */
async function contractWith(width: number, height: number): Promise<ContractFile> {
  const file = join(import.meta.dirname, '../contracts/demo-arm.yaml');
  const text = await readFile(file, 'utf8');
  const sized = text
    .replaceAll('width: 320', `width: ${width}`)
    .replaceAll('height: 240', `height: ${height}`);
  return parseContract(sized, file);
}

/** Processor time of this process and of all below it that have ended; NaN where there is no /proc. */
async function cpuSeconds(): Promise<number> {
  const stat = await readFile('/proc/self/stat', 'utf8').catch(() => '');
  // proc(5): utime, stime, cutime and cstime are fields 14 to 17, in hundredths; the name may hold anything.
  const times = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15);
  return times.length === 4 ? times.reduce((sum, ticks) => sum + Number(ticks) / 100, 0) : Number.NaN;
}

/** Seconds of a conversion into the named formats, nothing kept of earlier ones. */
async function convert(
  formats: string,
  { keepAt, sized = contract }: { readonly keepAt?: string; readonly sized?: ContractFile } = {},
) {
  const target = keepAt ?? (await mkdtemp(join(directory, 'datasets-')));
  const [began, cpuBegan] = [performance.now(), await cpuSeconds()];
  const { datasets } = await convertEpisodes(episodes, {
    contract: sized,
    formats: formatsNamed(formats),
    directory: target,
    version: 'bench',
    workers: 2,
    keepPrepared: false,
  });
  const timing = {
    frames: datasets[0]!.manifest.frames,
    seconds: (performance.now() - began) / 1000,
    cpuSeconds: (await cpuSeconds()) - cpuBegan,
  };
  if (!keepAt) await rm(target, { recursive: true });
  return timing;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

test('episode to LeRobot v3.0 against the writer of LeRobot', { timeout: 1_800_000 }, async ({ skip }) => {
  skip(python.missing.lerobot !== undefined, python.missing.lerobot);
  const run = pythonRunner(python);
  const source = join(directory, 'source');
  await writeSource(episodes, contract, source);
  const timings: Record<string, z.infer<typeof timingSchema>[]> = { ours: [], pngs: [], streaming: [] };
  for (let round = 0; round < ROUNDS; round++) {
    const ours = await convert('lerobot');
    timings.ours!.push(ours);
    for (const way of ['pngs', 'streaming']) {
      const target = join(directory, `peer-${way}-${round}`);
      const peer = timingSchema.parse(JSON.parse(await run('write_lerobot.py', [source, target, way])));
      expect(peer.frames).toBe(ours.frames);
      timings[way]!.push(peer);
      await rm(target, { recursive: true });
    }
  }
  const [rates, costs] = [new Map<string, number>(), new Map<string, number>()];
  for (const [way, each] of Object.entries(timings)) {
    rates.set(way, median(each.map(({ frames, seconds }) => frames / seconds)));
    // Less than frames per second does it depend on what else the machine is doing.
    costs.set(way, median(each.map(({ frames, cpuSeconds }) => (500 * cpuSeconds) / frames)));
  }
  const shown = (way: string) =>
    `${rates.get(way)!.toFixed(1)} frames/s, ${costs.get(way)!.toFixed(1)} ms CPU a picture`;
  console.log(`episode to LeRobot v3.0, AV1: ${shown('ours')}`);
  for (const way of ['pngs', 'streaming']) {
    const [faster, cheaper] = [rates.get('ours')! / rates.get(way)!, costs.get(way)! / costs.get('ours')!];
    console.log(
      `  LeRobot's writer (${way}): ${shown(way)}; ours ${faster.toFixed(2)} × as fast, ${cheaper.toFixed(2)} × as cheap`,
    );
  }
});

// 224 × 224 is what most policies see.
describe.each([
  [224, 224],
  [640, 480],
])('samples a DataLoader reads at %d × %d', (width, height) => {
  const datasets = () => join(directory, `loaded-${width}`);

  beforeAll(async () => {
    await convert('lerobot,webdataset', {
      keepAt: datasets(),
      sized: await contractWith(width, height),
    });
  }, 600_000);

  test.each([
    { steps: 1, workers: 1 },
    { steps: 1, workers: 2 },
    { steps: 2, workers: 1 },
    { steps: 2, workers: 2 },
  ])('of $steps observed steps by $workers workers', { timeout: 900_000 }, async ({ steps, workers }) => {
    if (python.missing.lerobot !== undefined) return console.log(`skipped: ${python.missing.lerobot}`);
    const run = pythonRunner(python);
    const load = async (format: string) => {
      const dataset = join(datasets(), format.split('-')[0]!);
      const output = await run('load_samples.py', [
        format,
        dataset,
        ...[steps, workers, LOAD_SECS].map(String),
      ]);
      const { samples, seconds, ...kind } = loadingSchema.parse(JSON.parse(output));
      const dtype = format === 'webdataset-bytes' ? 'uint8' : 'float32';
      expect(kind).toMatchObject({ dtype, shape: [steps, 3, height, width] });
      return { rate: samples / seconds, ...kind };
    };
    const ratios: Record<string, number[]> = { 'webdataset-bytes': [], webdataset: [] };
    const peers: number[] = [];
    let decoder: string | null = null;
    for (let round = 0; round < ROUNDS; round++) {
      const peer = await load('lerobot');
      peers.push(peer.rate);
      decoder = peer.backend;
      for (const [format, all] of Object.entries(ratios)) all.push((await load(format)).rate / peer.rate);
    }
    console.log(
      `DataLoader at ${width} × ${height}, ${steps} steps, ${workers} workers: ` +
        `LeRobotDataset (${decoder}) ${median(peers).toFixed(1)} samples/s; ours ÷ it ` +
        Object.entries(ratios)
          .map(([format, all]) => `${median(all).toFixed(2)} (${format})`)
          .join(', '),
    );
  });
});

test('one pass for three formats against three passes', { timeout: 1_800_000 }, async () => {
  const formats = ['lerobot', 'webdataset', 'rlds'];
  const costs: { one: number; sum: number; most: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const one = (await convert(formats.join(','))).seconds;
    const each: number[] = [];
    for (const format of formats) each.push((await convert(format)).seconds);
    costs.push({ one, sum: each.reduce((sum, one) => sum + one), most: Math.max(...each) });
  }
  const toSum = median(costs.map(({ one, sum }) => one / sum));
  const toMost = median(costs.map(({ one, most }) => one / most));
  console.log(`one pass ÷ three passes: ${toSum.toFixed(2)}; ÷ the dearest of them: ${toMost.toFixed(2)}`);
  expect(costs).toHaveLength(ROUNDS);
});
