import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readContract } from '../../schemas/contract-file.ts';
import { EPISODE_RECORD, IMPORT_RECORD } from '../../schemas/episode.ts';
import { EpisodeReader } from '../../schemas/episode-reader.ts';
import { DatasetError, UsageError } from '../../schemas/errors.ts';
import { fileDigest } from '../../schemas/file-digest.ts';
import { createDecoder } from '../../schemas/message-codec.ts';
import { convertEpisodes } from '../convert.ts';
import { fixtureFrame, fixtureTarget, writeEpisodes } from '../lerobot/lerobot.fixture.ts';
import { lerobot } from '../lerobot/lerobot.ts';
import { lerobotV21 } from '../lerobot-v21/lerobot-v21.ts';
import { readParquetRows } from '../parquet-reader.ts';
import { videoFrames } from '../video-frames.ts';
import { type ImportOptions, importLerobot } from './import-lerobot.ts';

const LENGTHS = [9, 4];
const FORMATS = { 'v3.0': lerobot, 'v2.1': lerobotV21 } as const;
const DATA = {
  'v3.0': ['data/chunk-000/file-000.parquet'],
  'v2.1': ['data/chunk-000/episode_000000.parquet', 'data/chunk-000/episode_000001.parquet'],
} as const;
const VIDEO = 'videos/chunk-000/observation.images.top/episode_000001.mp4';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lerobot-import-'));
  for (const [version, format] of Object.entries(FORMATS)) {
    const directory = await mkdtemp(join(root, `${version}-`));
    await writeEpisodes(format, fixtureTarget(directory), LENGTHS);
    sound.set(version, directory);
  }
});
afterAll(() => rm(root, { recursive: true }));

/** Datasets that no test changes, by version. */
const sound = new Map<string, string>();
let copies = 0;

async function changed(version: keyof typeof FORMATS, change: (copy: string) => Promise<unknown>) {
  const copy = join(root, `copy-${copies++}`);
  await cp(sound.get(version)!, copy, { recursive: true });
  await change(copy);
  return copy;
}

const imported = async (directory: string, options: Partial<ImportOptions> = {}) => {
  const library = options.library ?? join(root, `library-${copies++}`);
  const given = { library, name: 'foreign', units: ['none'], version: '0.0.0', ...options };
  return { library, report: await importLerobot(directory, given), files: (await readdir(library)).sort() };
};

const NAMES = ['foreign-000000.mcap', 'foreign-000001.mcap', 'foreign.yaml'];

describe.each(['v3.0', 'v2.1'] as const)('importLerobot() of %s', (version) => {
  it('gives episodes that convert to the same numbers, times, masks and, within their compression, pictures', {
    timeout: 60_000,
  }, async () => {
    const source = sound.get(version)!;
    const { library, report, files } = await imported(source);
    expect(files).toEqual(NAMES);
    expect([report.imported, report.leftOut, [...report.notHeld]]).toEqual([2, [], []]);
    const contract = await readContract(join(library, 'foreign.yaml'));
    const directory = join(library, 'datasets');
    const recordings = NAMES.slice(0, 2).map((name) => join(library, name));
    await convertEpisodes(recordings, {
      ...{ contract, directory, formats: [FORMATS[version]], version: '0.0.0', strict: true },
    });
    const again = join(directory, FORMATS[version].name);
    for (const file of DATA[version]) {
      const [before, after] = await Promise.all([source, again].map((at) => readParquetRows(join(at, file))));
      const named = (row: object) =>
        Object.fromEntries(Object.entries(row).filter(([key]) => !key.startsWith('age.')));
      expect(after!.map(named)).toEqual(before!.map(named));
    }
    const video = version === 'v3.0' ? V3_VIDEO : VIDEO.replace('000001', '000000');
    const size = { frames: [1], width: 96, height: 64 };
    const [then, now] = await Promise.all([source, again].map((at) => firstPicture(join(at, video), size)));
    const distance = then!.reduce((sum, value, i) => sum + Math.abs(value - now![i]!), 0) / then!.length;
    expect(distance).toBeLessThan(4);
  });

  it('says in each episode what it was made of', async () => {
    const { library } = await imported(sound.get(version)!, { episodes: new Set([1]) });
    expect((await readdir(library)).sort()).toEqual(NAMES.slice(1));
    await using reader = await EpisodeReader.open(join(library, NAMES[1]!));
    const [info, lineage] = [await reader.metadata(EPISODE_RECORD), await reader.metadata(IMPORT_RECORD)];
    expect(Object.fromEntries(info!)).toMatchObject({
      ...{ robot: 'fixture-arm', task: 'place the block', source: 'lerobot', contract: 'foreign' },
    });
    const file = DATA[version].at(-1)!;
    expect(Object.fromEntries(lineage!)).toMatchObject({
      format: `LeRobot ${version}`,
      episode: '1',
      [file]: await fileDigest(join(sound.get(version)!, file)),
    });
  });
});

const V3_VIDEO = 'videos/observation.images.top/chunk-000/file-000.mp4';

async function firstPicture(file: string, options: Parameters<typeof videoFrames>[1]) {
  for await (const picture of videoFrames(file, options)) return picture;
  throw new TypeError(`${file} has no picture`);
}

describe('importLerobot()', () => {
  it('makes radians of what was declared as degrees, joint by joint', async () => {
    const { library, report } = await imported(sound.get('v2.1')!, {
      units: ['deg', 'c=none', 'joint1=mm'],
      episodes: new Set([0]),
    });
    await using reader = await EpisodeReader.open(join(library, NAMES[0]!));
    for await (const { channel, data } of reader.messages({ topics: ['/observation/state'] })) {
      const { position, name } = createDecoder(channel)(data);
      const { elements } = fixtureFrame(0, 0).values.get('observation.state') as { elements: Float64Array };
      expect(name).toEqual(['a', 'b', 'c']);
      expect([...(position as Float64Array)]).toEqual([0, elements[1]! * (Math.PI / 180), elements[2]]);
      break;
    }
    expect(report.contract.contract.features['observation.state']).not.toHaveProperty('unit');
    expect(report.contract.contract.features.action).toMatchObject({ unit: 'm' });
  });

  // [declared units, words of the refusal]
  it.each([
    [[], 'does not say in which unit "observation.state" is. Its numbers: a 0…80, b 1…81'],
    [['degrees'], 'must be one of rad, deg, m, mm, none, found "degrees"'],
    [['none', 'd=rad'], 'no joint is named "d"'],
    [['a=rad', 'b=rad'], 'does not say in which unit'],
  ])('refuses %j before anything is written', async (units, words) => {
    const library = join(root, `refused-${copies++}`);
    const asked = imported(sound.get('v2.1')!, { units, library });
    await expect(asked).rejects.toThrow(words);
    await expect(asked).rejects.toThrow(UsageError);
    await expect(readdir(library)).rejects.toThrow('ENOENT');
  });

  // [what is wrong, the damage, words of the fault]
  it.each([
    ['missing rows', (copy: string) => rm(join(copy, DATA['v2.1'][1])), 'it is missing'],
    ['cut rows', (copy: string) => truncate(join(copy, DATA['v2.1'][1]), 100), 'no sound Parquet file'],
    ['a missing video', (copy: string) => rm(join(copy, VIDEO)), 'no such file'],
    ['a cut video', (copy: string) => truncate(join(copy, VIDEO), 700), 'Cannot read video'],
    [
      'rows of another episode',
      (copy: string) => cp(join(copy, DATA['v2.1'][0]), join(copy, DATA['v2.1'][1])),
      'does not hold it',
    ],
  ])('leaves an episode with %s out, whole, and names it', async (_, damage, words) => {
    const { report, files } = await imported(await changed('v2.1', damage));
    expect(files).toEqual([NAMES[0], NAMES[2]]);
    expect(report.leftOut.map(({ index }) => index)).toEqual([1]);
    expect(report.leftOut[0]!.fault.message).toContain(words);
  });

  it('goes on where an import ended, and not under another contract', async () => {
    const { library } = await imported(sound.get('v3.0')!, { episodes: new Set([0]) });
    const { report } = await imported(sound.get('v3.0')!, { library });
    expect([report.imported, report.present]).toEqual([1, 1]);
    await expect(imported(sound.get('v3.0')!, { library, units: ['rad'] })).rejects.toThrow('says otherwise');
  });

  const reference = join(import.meta.dirname, '../../../shared/data/lerobot_v30_rebot_arm_nocam');
  it.skipIf(!existsSync(reference))('reads what LeRobot itself has written', async () => {
    const { library, report } = await imported(reference, { units: ['deg'] });
    expect([report.imported, report.dataset.robot]).toEqual([1, 'seeed_b601_dm_follower']);
    const rows = await readParquetRows(join(reference, DATA['v3.0'][0]));
    await using reader = await EpisodeReader.open(join(library, NAMES[0]!));
    let row = 0;
    for await (const { channel, data } of reader.messages({ topics: ['/action'] })) {
      const degrees = rows[row++]!.action as number[];
      const { position } = createDecoder(channel)(data);
      expect([...(position as Float64Array)]).toEqual(degrees.map((each) => each * (Math.PI / 180)));
    }
    expect(row).toBe(871);
  });

  // [what info.json becomes, words of the refusal]
  it.each([
    ['{', 'is no JSON'],
    ['{"codebase_version": "v1.6"}', 'must be "v2.1" or "v3.0"'],
  ])('refuses info.json %s', async (text, words) => {
    const copy = await changed('v2.1', (at) => writeFile(join(at, 'meta/info.json'), text));
    const asked = imported(copy);
    await expect(asked).rejects.toThrow(words);
    await expect(asked).rejects.toThrow(DatasetError);
  });

  it('refuses a folder that is no dataset', async () => {
    await expect(imported(join(root, 'nowhere'))).rejects.toThrow('there is no such folder');
    await expect(imported(root)).rejects.toThrow('"meta/info.json" is missing');
  });

  it('names what episodes do not hold', async () => {
    const copy = await changed('v2.1', async (at) => {
      const file = join(at, 'meta/info.json');
      const info = JSON.parse(await readFile(file, 'utf8'));
      info.features.language_events = { dtype: 'language', shape: [1], names: null };
      info.features['observation.images.top'].info.is_depth_map = true;
      await writeFile(file, JSON.stringify(info));
    });
    const { report } = await imported(copy, { episodes: new Set([0]) });
    expect([...report.notHeld]).toEqual([
      ['observation.images.top', 'depth as video'],
      ['language_events', 'dtype "language"'],
    ]);
  });
});
