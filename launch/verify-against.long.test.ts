import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { convertEpisodes } from '../converters/convert.ts';
import type { DatasetFormat } from '../converters/dataset-writer.ts';
import { allFrames, joints, testContractFile, writeTestEpisode } from '../converters/episode.fixture.ts';
import type { Frame, FrameValue } from '../converters/frame.ts';
import { readManifest, writeManifest } from '../converters/manifest.ts';
import { pictureContract, writePictureEpisode } from '../converters/picture-episodes.fixture.ts';
import { mergeForms } from '../converters/prepared/picture-form.ts';
import { packBytes } from '../converters/prepared/pixel-codec.ts';
import { addFrames, prepareFrames } from '../converters/prepared/prepared.fixture.ts';
import type { PreparedEpisode } from '../converters/prepared/prepared-episode.ts';
import { verifyDataset } from '../converters/verify.ts';
import { type Comparison, verifyAgainst } from '../converters/verify-against.ts';
import { decodeSample, encodeSample } from '../converters/webdataset/sample-codec.ts';
import { readTar, type TarMember, TarWriter } from '../converters/webdataset/tar.ts';
import { DIRECTORY_NAME, ZIP_NAME } from '../converters/zarr/layout.ts';
import { openZip, ZipSink } from '../converters/zarr/zip-store.ts';
import { fileDigest } from '../schemas/file-digest.ts';
import { FORMATS } from './formats.ts';

const FRAMES = 11;
const CAMERAS = 2;

let root: string;
let recording: string;
let digest: string;
let frames: readonly Frame[];
/** Folder of a dataset of each format that holds what was recorded. */
let sound: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'against-'));
  recording = join(root, 'take-1.mcap');
  await writePictureEpisode(recording, { episode: 1, messages: 12 });
  digest = await fileDigest(recording);
  frames = (await allFrames(recording, pictureContract.contract)).frames;
  sound = join(root, 'sound');
  const formats = [...FORMATS.values()];
  await convertEpisodes([recording], {
    ...{ formats, directory: sound, contract: pictureContract, version: '0.0.0', keepPrepared: false },
  });
}, 60_000);
afterAll(() => rm(root, { recursive: true }));

async function compare(directory: string, pictures = 6): Promise<Comparison> {
  const { manifest } = await readManifest(directory);
  if (!manifest) throw new TypeError('a dataset has a manifest');
  const format = FORMATS.get(manifest.format)!;
  const options = { recordings: [recording], contract: pictureContract, pictures };
  return await verifyAgainst(directory, { manifest, format }, options);
}

/** A manifest that agrees with the files, and says of everything else what that of the sound dataset says. */
async function signManifest(directory: string, format: string): Promise<void> {
  await rm(join(directory, 'manifest.json'), { force: true });
  const { manifest } = await readManifest(join(sound, format));
  const { kinescribe: _, files: __, ...content } = manifest!;
  await writeManifest(directory, content);
}

/** All faults that are found in a dataset, whoever finds them. */
async function faultsOf(directory: string): Promise<string> {
  const own = await verifyDataset(directory, FORMATS);
  expect(own.faults.join('\n')).not.toMatch(/sha256 differs|manifest.json says/);
  return [...own.faults, ...(await compare(directory)).faults].join('\n');
}

const HEADER = { index: 0, id: 'take-1', task: 'place' };

/** Datasets of a prepared episode, whose manifests say that all is as it was recorded. */
async function writeAll(
  formats: readonly DatasetFormat[],
  episode: PreparedEpisode,
  { name, header = HEADER }: { readonly name: string; readonly header?: typeof HEADER },
): Promise<string> {
  const { contract, digest: contractDigest } = pictureContract;
  const numbers = await episode.numbers();
  for (const format of formats) {
    const directory = join(root, name, format.name);
    await mkdir(directory, { recursive: true });
    const target = { directory, contract, contractDigest, version: '0.0.0', tasks: [header.task] };
    const writer = await format.open(target);
    await writer.addEpisode({ header: { ...header, digest }, numbers, pictures: episode });
    await writer.finish();
    await signManifest(directory, format.name);
  }
  return join(root, name);
}

async function prepare(stored: readonly Frame[]): Promise<PreparedEpisode> {
  const forms = mergeForms(await Promise.all([...FORMATS.values()].map((format) => format.pictureForm())));
  const header = { ...HEADER, digest };
  return await prepareFrames({ contract: pictureContract.contract, forms, header, frames: stored });
}

function withValues(frame: Frame, values: Readonly<Record<string, FrameValue | undefined>>): Frame {
  const given = Object.entries(values).map(([key, value]) => [key, value!] as const);
  return { ...frame, values: new Map([...frame.values, ...given]) };
}

function changed(value: FrameValue | undefined, by: number): FrameValue {
  if (value?.kind !== 'vector') throw new TypeError('an action is a vector');
  return { ...value, elements: Float64Array.from(value.elements, (element) => element + by) };
}

const [STATE, ACTION, FRONT, WRIST] = [
  ...['observation.state', 'action', 'observation.images.front', 'observation.images.wrist'],
] as const;
const before = (all: readonly Frame[], i: number, by: number) => all[Math.max(0, i - by)]!.values;

/** Damages that leave datasets which no check of their own need tell from sound ones; several in one dataset. */
const DAMAGES: readonly {
  readonly damage: (frames: readonly Frame[]) => readonly Frame[];
  readonly task?: string;
  readonly faults: readonly (readonly [string, RegExp])[];
}[] = [
  {
    damage: (all) => all.slice(0, -2),
    faults: [
      [
        'frames missing at the end',
        /holds 9 rows, ".*take-1.mcap" gives 11|no window of frame 9 \(and of 1 more frames\), ".*take-1.mcap" gives/,
      ],
    ],
  },
  {
    damage: (all) =>
      all.map((frame, i) =>
        withValues(frame, {
          [STATE]: before(all, i, 1).get(STATE),
          [ACTION]: i === 7 ? changed(frame.values.get(ACTION), 1e-5) : frame.values.get(ACTION),
          [FRONT]: frame.values.get(WRIST),
          [WRIST]: frame.values.get(FRONT),
        }),
      ),
    faults: [
      [
        'a row shifted against its tick',
        /(state|qpos).*: element 0 is .*, ".*take-1.mcap" gives .* \(frame \d+, message of "\/arm" at 2023-11-14T22:13:2/,
      ],
      [
        'a number that differs in its last digits',
        /action.*: element 0 is 1\.90000\d*, ".*" gives 1\.8999\d* \(frame 7/,
      ],
      [
        'cameras that changed places',
        /shows "observation.images.wrist" instead of "observation.images.front" of|differs by [\d.]+ of 255 levels/,
      ],
    ],
  },
  {
    damage: (all) => {
      const late = all.map((frame, i) => withValues(frame, { [FRONT]: before(all, i, 3).get(FRONT) }));
      return late.with(4, { ...late[5]!, index: 4 }).with(5, { ...late[4]!, index: 5 });
    },
    task: 'pick',
    faults: [
      [
        'another instruction',
        /: is "pick", ".*take-1.mcap" gives "place" as the task, which is the instruction/,
      ],
      ['two rows that changed places', /element 0 is .* \(frame [45]/],
      [
        'pictures that are late',
        /differs by [\d.]+ of 255 levels from ".*take-1.mcap" \(frame \d+, message of "\/front" at /,
      ],
    ],
  },
];

/** All but LeRobot v2.1, whose rows and pictures are read as those of v3.0. */
const DAMAGED = [...FORMATS.values()].filter(({ name }) => name !== 'lerobot-v21');

describe.each(DAMAGES)('verifyAgainst()', ({ damage, task = HEADER.task, faults }) => {
  let directory: string;
  beforeAll(async () => {
    await using episode = await prepare(damage(frames));
    directory = await writeAll(DAMAGED, episode, {
      name: faults[0]![0],
      header: { ...HEADER, task },
    });
  }, 60_000);

  it.each(DAMAGED)(`finds in $name ${faults.map(([what]) => what).join(', ')}`, async ({ name }) => {
    const found = await faultsOf(join(directory, name));
    for (const [, fault] of faults) expect(found).toMatch(fault);
  });
});

describe('verifyAgainst()', () => {
  let episode: PreparedEpisode;
  beforeAll(async () => {
    episode = await prepare(frames);
  }, 60_000);
  afterAll(() => episode[Symbol.asyncDispose]());

  it.each([...FORMATS.keys()])(
    'finds nothing where %s holds what was recorded, and says what it held',
    async (name) => {
      const directory = join(sound, name);
      expect((await verifyDataset(directory, FORMATS)).faults).toEqual([]);
      const { faults, coverage } = await compare(directory);
      expect(faults).toEqual([]);
      expect(coverage).toMatchObject({ episodes: 1, picturesWithoutSource: 0, features: true });
      expect(coverage.picturesInAll).toBe(FRAMES * CAMERAS);
      // Two states, two actions, age and mask of all four features, and the tick of every frame.
      expect(coverage.numbers).toBeGreaterThanOrEqual(FRAMES * (2 + 2 + 4 + 4 + 1));
      expect(coverage.texts).toBeGreaterThan(0);
      expect(coverage.pictures).toBeGreaterThanOrEqual(3 * CAMERAS);
    },
  );

  it.each(['lerobot', 'lerobot-v21', 'robomimic', 'act'])(
    'finds an episode of the wrong index in %s',
    async (name) => {
      const header = { ...HEADER, index: 1 };
      const directory = await writeAll([FORMATS.get(name)!], episode, { name: 'index', header });
      expect(await faultsOf(join(directory, name))).toMatch(/episode_index is 1|demo_0|episode_0|episode 0/);
    },
  );
});

/** A copy of the sound dataset, changed and signed again. */
async function altered(format: string, change: (directory: string) => Promise<void>): Promise<string> {
  const directory = await mkdtemp(join(root, `${format}-`));
  await cp(join(sound, format), directory, { recursive: true });
  await change(directory);
  await signManifest(directory, format);
  return directory;
}

/** Writes an archive again with other members. */
async function changeTar(file: string, change: (member: TarMember) => TarMember | undefined): Promise<void> {
  const tar = new TarWriter(`${file}.new`);
  for await (const member of readTar(file)) {
    const kept = change(member);
    if (kept) await tar.add(kept);
  }
  await tar.close();
  await rename(`${file}.new`, file);
}

async function changeJson(file: string, change: (text: string) => string): Promise<void> {
  const text = await readFile(file, 'utf8');
  expect(change(text)).not.toBe(text);
  await writeFile(file, change(text));
}

const ENDS = 'meta/episode_ends/0';
const SHARDS = { webdataset: 'shard-000000.tar', 'vla-foundry': 'shards/shard_000000.tar' } as const;

const WRONG_INDICES: readonly [string, (directory: string) => Promise<void>, RegExp][] = [
  [
    'rlds',
    (directory) =>
      changeJson(join(directory, 'test/1.0.0/dataset_info.json'), (text) => text.replace('"1"', '"2"')),
    /shardLengths|holds 1/,
  ],
  [
    'zarr',
    async (directory) =>
      writeFile(
        join(directory, DIRECTORY_NAME, ENDS),
        await packBytes(new Uint8Array(BigInt64Array.of(10n).buffer)),
      ),
    /has 11 rows, the last episode ends at 10/,
  ],
  [
    'zarr-zip',
    async (directory) => {
      const file = join(directory, ZIP_NAME);
      const source = await openZip(file);
      const sink = await ZipSink.create(`${file}.new`);
      for (const key of source.keys) {
        const ends = new Uint8Array(BigInt64Array.of(10n).buffer);
        await sink.set(key, key === ENDS ? await packBytes(ends) : await source.get(key));
      }
      await sink.close();
      await source.close();
      await rename(`${file}.new`, file);
    },
    /has 11 rows, the last episode ends at 10/,
  ],
  [
    'webdataset',
    (directory) =>
      changeTar(join(directory, SHARDS.webdataset), ({ name, data }) => {
        if (!name.endsWith('000010.sample.mp')) return { name, data };
        const sample = decodeSample(data);
        return { name, data: encodeSample({ ...sample, provenance: { ...sample.provenance, frame: 9 } }) };
      }),
    /the window of frame 9 is there a second time|frame 9/,
  ],
  [
    'vla-foundry',
    (directory) =>
      changeTar(join(directory, SHARDS['vla-foundry']), ({ name, data }) => {
        const text = Buffer.from(data).toString().replace('"anchor_timestep": 10', '"anchor_timestep": 9');
        return { name, data: name.endsWith('metadata.json') ? Buffer.from(text) : data };
      }),
    /the window of frame 9 is there a second time/,
  ],
];

test.each(WRONG_INDICES)('verifyAgainst() finds a wrong index in %s', async (format, change, fault) => {
  expect(await faultsOf(await altered(format, change))).toMatch(fault);
});

/** What counts samples beside the archive. */
const COUNTS = {
  webdataset: ['dataset.json'],
  'vla-foundry': ['shards/manifest.jsonl', 'shards/processing_metadata.json'],
} as const;

test.each(['webdataset', 'vla-foundry'] as const)(
  'verifyAgainst() finds a window that is missing in %s',
  async (format) => {
    const directory = await altered(format, async (copy) => {
      await changeTar(join(copy, SHARDS[format]), (member) =>
        /[-_]0*5\./.test(member.name) ? undefined : member,
      );
      for (const file of COUNTS[format]) {
        await changeJson(join(copy, file), (text) =>
          text.replace(/(samples|num_sequences)": ?11\b/g, '$1": 10'),
        );
      }
    });
    const found = await faultsOf(directory);
    expect(found).toMatch(/episode "take-1" has no window of frame 5, ".*take-1.mcap" gives one/);
  },
);

test('verifyAgainst() finds figures of the manifest that the recordings do not give', async () => {
  const directory = await altered('zarr', async () => {});
  await changeJson(join(directory, 'manifest.json'), (text) =>
    text.replace('"trimmedEnd": 0', '"trimmedEnd": 3').replace(/"invalidShare": 0\b/, '"invalidShare": 0.5'),
  );
  const { faults } = await compare(directory);
  expect(faults).toEqual([
    expect.stringMatching(/^manifest.json, episode "take-1": trimmedEnd is 3, ".*take-1.mcap" gives 0\.$/),
    expect.stringMatching(
      /^manifest.json, feature "observation.state": invalidShare is 0.5, the recordings give 0\.$/,
    ),
  ]);
});

describe('verifyAgainst() of texts', () => {
  const contract = testContractFile(`
streams:
  arm: { topic: /arm, role: motion, type: sensor_msgs/msg/JointState }
  said: { topic: /said, role: context, type: std_msgs/msg/String, clock: log }
features:
  action: { kind: vector, stream: arm, field: position, shape: [2], toleranceSecs: 0.05 }
  observation.said: { kind: text, stream: said, toleranceSecs: 9 }
samples: { tickRateHz: 10, observationSteps: 2, horizon: 3 }`);
  const formats = ['lerobot', 'lerobot-v21', 'rlds', 'webdataset'].map((name) => FORMATS.get(name)!);

  it.each(formats.map((format) => [format.name, format] as const))(
    'finds another text in %s',
    async (name, format) => {
      const file = join(root, `${name}.mcap`);
      const positions = Array.from({ length: 9 }, (_, i) => [100 * i, [i, -i]] as const);
      const said = (log: number, data: string) => ({ log, value: { data } });
      await writeTestEpisode(
        file,
        [
          joints('/arm', Object.fromEntries(positions)),
          { topic: '/said', type: 'std_msgs/msg/String', messages: [said(0, 'lift'), said(450, 'place')] },
        ],
        { id: 'spoken', task: 'place' },
      );
      const directory = join(root, `${name}-texts`);
      const options = { contract, formats: [format], directory, version: '0.0.0', keepPrepared: false };
      const { manifest, directory: whole } = (await convertEpisodes([file], options)).datasets[0]!;
      const against = { recordings: [file], contract };
      expect((await verifyAgainst(whole, { manifest, format }, against)).faults).toEqual([]);

      const all = (await allFrames(file, contract.contract)).frames;
      const text = { ...all[5]!.values.get('observation.said')!, text: 'plate' };
      const header = { ...HEADER, id: 'spoken', digest: await fileDigest(file) };
      const changed = all.with(5, withValues(all[5]!, { 'observation.said': text }));
      const misheard = { directory: `${directory}-misheard`, contract: contract.contract, tasks: ['place'] };
      await mkdir(misheard.directory);
      const writer = await format.open({ ...misheard, contractDigest: contract.digest, version: '0.0.0' });
      await addFrames(writer, { contract: contract.contract, format, header, frames: changed });
      await writer.finish();
      const { faults } = await verifyAgainst(misheard.directory, { manifest, format }, against);
      expect(faults.join('\n')).toMatch(
        /: is "plate", ".*.mcap" gives "place" \(frame 5, message of "\/said" at 2023-/,
      );
    },
  );
});
