import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { labelsFileOf } from '../schemas/labels.ts';
import { type ConvertOptions, convertEpisodes } from './convert.ts';
import { jointState, type TestStream, testContractFile, writeTestEpisode } from './episode.fixture.ts';
import { pictureContract, writePictureEpisode } from './picture-episodes.fixture.ts';
import { webdataset } from './webdataset/webdataset.ts';
import { zarr } from './zarr/zarr.ts';

let root: string;
let good: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'faults-'));
  good = join(root, 'good.mcap');
  await writePictureEpisode(good, { episode: 1, messages: 4 });
});
afterAll(() => rm(root, { recursive: true }));

const options = (directory: string, part: Partial<ConvertOptions> = {}): ConvertOptions => ({
  ...{ contract: pictureContract, formats: [webdataset], directory, version: '0.0.0', keepPrepared: false },
  ...part,
});

/** Recordings that cannot become samples, written when their turn has come. */
const RECORDINGS: readonly [string, (file: string) => Promise<void>, RegExp][] = [
  ['is no recording', (file) => writeFile(file, 'to be or not to be'), /magic bytes.*kinescribe recover/],
  ['is empty', (file) => writeFile(file, ''), /magic bytes.*It is empty/],
  [
    'was cut off',
    async (file) => writeFile(file, (await readFile(good)).subarray(0, -2000)),
    /the footer is missing.*kinescribe recover/,
  ],
  [
    'was damaged',
    async (file) => {
      await writePictureEpisode(file, { episode: 6, messages: 4 });
      const bytes = await readFile(file);
      bytes.fill(0, bytes.length >> 1, (bytes.length >> 1) + 40);
      await writeFile(file, bytes);
    },
    /the chunk at byte \d+ is damaged.*kinescribe recover/,
  ],
  [
    'holds nothing',
    (file) => writeTestEpisode(file, []),
    /required stream "arm" has no message on topic "\/arm"/,
  ],
  [
    'lacks a camera',
    (file) => writeTestEpisode(file, [arm, camera('/front', new Uint8Array())]),
    /required stream "wrist" has no message on topic "\/wrist".*line \d+ of the contract, "streams.wrist.topic"/,
  ],
  [
    'has no picture in the messages of two cameras',
    (file) =>
      writeTestEpisode(file, [arm, ...['/front', '/wrist'].map((topic) => camera(topic, new Uint8Array(9)))]),
    /a "sensor_msgs\/msg\/CompressedImage" on "\/front" does not become a picture/,
  ],
];

const places = Array.from({ length: 9 }, (_, i) => i);
const arm: TestStream = {
  ...{ topic: '/arm', type: 'sensor_msgs/msg/JointState' },
  messages: places.map((i) => ({ log: 100 * i, value: jointState([i, i]) })),
};
const camera = (topic: string, data: Uint8Array): TestStream => ({
  ...{ topic, type: 'sensor_msgs/msg/CompressedImage' },
  messages: places.map((i) => ({ log: 100 * i + 3, value: { format: 'jpeg', data } })),
});

it.each(RECORDINGS)(
  'convertEpisodes() leaves out and names a recording that %s',
  async (what, write, fault) => {
    const file = join(root, `${what}.mcap`);
    await write(file);
    const directory = join(root, what);
    const { skipped, datasets } = await convertEpisodes([file, good], options(directory));
    expect(skipped).toEqual([
      { file, fault: expect.objectContaining({ message: expect.stringMatching(fault) }) },
    ]);
    expect(datasets[0]!.manifest).toMatchObject({ skipped: [`${what}.mcap`], episodes: [{ id: 'take-1' }] });
    const strict = convertEpisodes([file, good], options(join(root, `strict ${what}`), { strict: true }));
    await expect(strict).rejects.toThrow(fault);
  },
);

it.each([1, 2])(
  'convertEpisodes() names a recording that disappears meanwhile, with %i workers',
  async (workers) => {
    const files = [2, 3, 4].map((episode) => join(root, `going-${workers}-${episode}.mcap`));
    for (const [i, file] of files.entries()) await writePictureEpisode(file, { episode: 2 + i, messages: 4 });
    const { skipped } = await convertEpisodes(files, {
      ...options(join(root, `going-${workers}`), { workers }),
      onProgress: () => {
        rmSync(files[2]!, { force: true });
      },
    });
    expect(skipped.map(({ file }) => file)).toEqual([files[2]]);
    expect(skipped[0]!.fault.message).toMatch(
      /^Cannot read ".*": ENOENT.* It was there when the conversion began\.$/,
    );
  },
);

it('convertEpisodes() tells of labels that it cannot read', async () => {
  const file = join(root, 'labelled.mcap');
  await writePictureEpisode(file, { episode: 5, messages: 4 });
  await appendFile(labelsFileOf(file), '{"kind":"of the future"}\nnot json\n');
  const { unreadLabels } = await convertEpisodes([file], options(join(root, 'labelled')));
  expect(unreadLabels).toEqual([{ file, lines: 2 }]);
});

const TARGETS: readonly [string, (directory: string) => Promise<string>, Partial<ConvertOptions>, RegExp][] =
  [
    [
      'a file',
      async (directory) => {
        await writeFile(directory, '');
        return directory;
      },
      {},
      /^Cannot convert into ".*": a part of its path is a file\. Choose a folder/,
    ],
    [
      'a dataset',
      async (directory) => {
        await mkdir(join(directory, 'webdataset'), { recursive: true });
        return directory;
      },
      {},
      /webdataset": it exists already, and datasets are never written over\. .*--append/,
    ],
    [
      'a dataset without a manifest, to append to',
      async (directory) => {
        await mkdir(join(directory, 'webdataset'), { recursive: true });
        return directory;
      },
      { append: true },
      /^Cannot append to dataset ".*webdataset": manifest.json: cannot be read/,
    ],
    [
      'a folder for a format that the contract does not suit',
      async (directory) => directory,
      {
        formats: [zarr],
        contract: testContractFile(`
streams:
  arm: { topic: /arm, role: motion, type: sensor_msgs/msg/JointState }
features:
  observation.state: { kind: vector, stream: arm, field: position, shape: [2], toleranceSecs: 0.1 }
samples: { tickRateHz: 10 }`),
      },
      /the contract has no vector feature "action"\. Add it/,
    ],
  ];

it.each(TARGETS)('convertEpisodes() refuses %s', async (what, prepare, part, fault) => {
  const directory = await prepare(join(root, `target ${what}`));
  await expect(convertEpisodes([good], options(directory, part))).rejects.toThrow(fault);
});

it('convertEpisodes() refuses a folder that another conversion writes into at the same moment', async () => {
  const directory = join(root, 'both');
  const both = await Promise.allSettled([1, 2].map(() => convertEpisodes([good], options(directory))));
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  const refused = both.find((each) => each.status === 'rejected')!;
  expect(String(refused.reason)).toMatch(
    /another conversion is writing there \(process \d+\)\. Wait for its end/,
  );
  expect(await readdir(directory)).toEqual(['webdataset']);
});

const canMount = await (async () => {
  const directory = await mkdtemp(join(tmpdir(), 'read-only-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=1m', 'tmpfs', directory]).status === 0;
  if (!mounted) await rm(directory, { recursive: true });
  return mounted ? directory : undefined;
})();

it.skipIf(!canMount)(
  'convertEpisodes() refuses a disk that may only be read (needs the right to mount)',
  async () => {
    try {
      const converting = convertEpisodes([good], options(join(canMount!, 'out')));
      await expect(converting).rejects.toThrow(
        /^Cannot convert into ".*": .*\. Choose a folder that you may write into\.$/,
      );
    } finally {
      execFileSync('umount', [canMount!]);
      await rm(canMount!, { recursive: true });
    }
  },
);
