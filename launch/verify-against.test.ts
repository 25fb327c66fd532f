import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { DatasetFormat } from '../converters/dataset-writer.ts';
import { allFrames } from '../converters/episode.fixture.ts';
import type { Frame, FrameValue } from '../converters/frame.ts';
import { writeManifest } from '../converters/manifest.ts';
import { pictureContract, writePictureEpisode } from '../converters/picture-episodes.fixture.ts';
import { addFrames } from '../converters/prepared/prepared.fixture.ts';
import { verifyDataset } from '../converters/verify.ts';
import { verifyAgainst } from '../converters/verify-against.ts';
import { fileDigest } from '../schemas/file-digest.ts';
import { FORMATS } from './formats.ts';

let root: string;
let recording: string;
let digest: string;
let frames: readonly Frame[];
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'against-'));
  recording = join(root, 'take-1.mcap');
  await writePictureEpisode(recording, { episode: 1, messages: 12 });
  digest = await fileDigest(recording);
  frames = (await allFrames(recording, pictureContract.contract)).frames;
});
afterAll(() => rm(root, { recursive: true }));

/** Writes a dataset of frames with a manifest that agrees with its files, and compares it with the recording. */
async function faultsOf(format: DatasetFormat, stored: readonly Frame[], pictures = 3): Promise<string> {
  const { contract, digest: contractDigest } = pictureContract;
  const directory = await mkdtemp(join(root, `${format.name}-`));
  const target = { directory, contract, contractDigest, version: '0.0.0', tasks: ['place'] };
  const writer = await format.open(target);
  const header = { index: 0, id: 'take-1', digest, task: 'place' };
  await addFrames(writer, { contract, format, header, frames: stored });
  const samples = await writer.finish();
  const manifest = await writeManifest(directory, {
    version: '0.0.0',
    format: format.name,
    contract: { name: contract.name, digest: contractDigest },
    tickRateHz: contract.samples.tickRateHz,
    clock: contract.samples.clock,
    frames: stored.length,
    samples,
    episodes: [
      {
        ...header,
        ...{ file: 'take-1.mcap', frames: stored.length, trimmedStart: 0, trimmedEnd: 0, clocks: [] },
        startTime: `${stored[0]!.tickTime}`,
        endTime: `${stored.at(-1)!.tickTime}`,
      },
    ],
    skipped: [],
    features: [],
  });
  expect((await verifyDataset(directory, FORMATS)).manifest).toEqual(manifest);
  const options = { recordings: [recording], contract: pictureContract, pictures };
  return (await verifyAgainst(directory, { manifest, format }, options)).join('\n');
}

function withValues(frame: Frame, values: Readonly<Record<string, FrameValue | undefined>>): Frame {
  const given = Object.entries(values).map(([key, value]) => [key, value!] as const);
  return { ...frame, values: new Map([...frame.values, ...given]) };
}

function changed(frame: Frame, by: number): FrameValue {
  const value = frame.values.get('observation.state')!;
  if (value.kind !== 'vector') throw new TypeError('a state is a vector');
  return { ...value, elements: Float64Array.from(value.elements, (element) => element + by) };
}

/** Damages that leave a dataset which no check of its own can tell from a sound one. */
const DAMAGES: readonly [string, (frames: readonly Frame[]) => readonly Frame[], RegExp][] = [
  [
    'frames missing at the end',
    (all) => all.slice(0, -2),
    /holds 9 rows, ".*take-1.mcap" gives 11|row \d+: element \d is|nothing of episode/,
  ],
  [
    'a row shifted against its tick',
    (all) =>
      all.map((frame, i) =>
        withValues(frame, { 'observation.state': all[Math.max(0, i - 1)]!.values.get('observation.state') }),
      ),
    /element \d is .*, ".*take-1.mcap" gives .* \(frame \d+, message of "\/arm" at 2023-11-14T22:13:2/,
  ],
  [
    'two rows that changed places',
    (all) => all.with(4, { ...all[5]!, index: 4 }).with(5, { ...all[4]!, index: 5 }),
    /element 0 is .* \(frame [45]/,
  ],
  [
    'a value that differs in its last digits',
    (all) => all.with(7, withValues(all[7]!, { 'observation.state': changed(all[7]!, 1e-5) })),
    /row 7: element 0 is 1\.8\d*, ".*take-1.mcap" gives 1\.7\d* \(frame 7, message of "\/arm"|element 0 is 1\.8/,
  ],
  [
    'cameras that changed places',
    (all) =>
      all.map((frame) =>
        withValues(frame, {
          'observation.images.front': frame.values.get('observation.images.wrist'),
          'observation.images.wrist': frame.values.get('observation.images.front'),
        }),
      ),
    /shows "observation.images.wrist" instead of "observation.images.front" of|differs by [\d.]+ of 255 levels/,
  ],
  [
    'pictures a frame late',
    (all) =>
      all.map((frame, i) =>
        withValues(frame, {
          'observation.images.front': all[Math.max(0, i - 3)]!.values.get('observation.images.front'),
        }),
      ),
    /differs by [\d.]+ of 255 levels from ".*take-1.mcap" \(frame \d+, message of "\/front" at /,
  ],
];

/** Rows are compared by one code for all formats; the others take long to make, and each reader reads two of them. */
const THOROUGH = ['rlds', 'webdataset'];
const OTHERS = ['frames missing at the end', 'cameras that changed places'];

const formats = [...FORMATS].filter(([name]) => !['lerobot-v21', 'zarr-zip', 'act'].includes(name));

describe.each(formats)('verifyAgainst() of %s', (name, format) => {
  const damages = DAMAGES.filter(([what]) => THOROUGH.includes(name) || OTHERS.includes(what));
  it.each(damages)('finds %s', async (_, damage, fault) => {
    expect(await faultsOf(format, damage(frames))).toMatch(fault);
  });
});

test.each([...FORMATS])(
  'verifyAgainst() finds nothing where %s holds what was recorded',
  async (_, format) => {
    expect(await faultsOf(format, frames, 20)).toBe('');
  },
);
