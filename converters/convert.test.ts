import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { datasetManifestSchema, MANIFEST_FILE } from '../schemas/dataset-manifest.ts';
import { ConvertError, UsageError } from '../schemas/errors.ts';
import { fileDigest } from '../schemas/file-digest.ts';
import { temporaryFolder } from '../schemas/fixtures/episodes.ts';
import { appendLabel } from '../schemas/labels.ts';
import { type ConvertOptions, convertEpisodes, previewEpisodes } from './convert.ts';
import type { DatasetFormat } from './dataset-writer.ts';
import { EPOCH, joints, MILLI, testContractFile, writeTestEpisode } from './episode.fixture.ts';
import { lerobot } from './lerobot/lerobot.ts';
import { PREPARED } from './prepared/prepared-folder.ts';
import type { ConvertProgress } from './progress-meter.ts';
import { webdataset } from './webdataset/webdataset.ts';

const contract = testContractFile(`
streams:
  arm: { topic: /arm, role: motion, type: sensor_msgs/msg/JointState }
  aid: { topic: /aid, role: context, type: sensor_msgs/msg/JointState, required: false }
features:
  observation.state: { kind: vector, stream: arm, field: position, shape: [2], toleranceSecs: 0.05, unit: rad }
  observation.aid: { kind: vector, stream: aid, field: position, shape: [1], align: nearest, toleranceSecs: 0.05 }
samples: { tickRateHz: 10, horizon: 2 }`);

/** Names of the finished datasets, and of what is left of others. */
async function datasetsIn(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name !== PREPARED).sort();
}

/** Ten ticks of which the first two lack the arm's second message and so on: see the expected ages. */
const arm = joints('/arm', { 0: [0, 0], 90: [1, 1], 180: [2, 2], 270: [3, 3], 420: [4, 4] });

function options(directory: string, part: Partial<ConvertOptions> = {}): ConvertOptions {
  return { contract, formats: [webdataset], directory, version: '1.2.3', ...part };
}

test('convertEpisodes() writes a dataset and its manifest from our own and from foreign recordings', async () => {
  await using folder = await temporaryFolder();
  const [own, foreign] = [join(folder.path, 'a.mcap'), join(folder.path, 'run.7.mcap')];
  await writeTestEpisode(own, [arm, joints('/aid', { 130: [5] })], { id: 'test-0001', task: 'place' });
  await writeTestEpisode(foreign, [arm]);
  const directory = join(folder.path, 'out');
  const progress: ConvertProgress[] = [];
  const { datasets, late } = await convertEpisodes(
    [own, foreign],
    options(directory, { onProgress: (each) => void progress.push(each) }),
  );

  expect(await datasetsIn(directory)).toEqual(['webdataset']);
  const manifest = datasetManifestSchema.parse(
    JSON.parse(await readFile(join(directory, 'webdataset', MANIFEST_FILE), 'utf8')),
  );
  expect(datasets).toEqual([{ format: 'webdataset', directory: join(directory, 'webdataset'), manifest }]);
  expect(late).toEqual([]);
  const startTime = `${EPOCH}`;
  const endTime = `${EPOCH + 300n * MILLI}`;
  const ticks = { frames: 4, trimmedStart: 0, trimmedEnd: 1, startTime, endTime };
  expect(manifest).toMatchObject({
    version: '1.2.3',
    format: 'webdataset',
    contract: { name: 'test', digest: contract.digest },
    tickRateHz: 10,
    clock: 'sensor',
    frames: 8,
    samples: 8,
    episodes: [
      {
        index: 0,
        id: 'test-0001',
        file: 'a.mcap',
        digest: await fileDigest(own),
        task: 'place',
        ...ticks,
      },
      {
        index: 1,
        id: 'run.7',
        file: 'run.7.mcap',
        digest: await fileDigest(foreign),
        task: 'pick',
        ...ticks,
      },
    ],
  });
  // Ages of the arm are 0, 10, 20, 30 ms in both episodes; the aid is 30 ms after one tick of eight.
  const [state, aid] = manifest.features;
  expect(state).toMatchObject({ key: 'observation.state', shape: [2], unit: 'rad', invalidShare: 0 });
  expect(state!.ageP50Secs).toBeCloseTo(0.015, 9);
  expect(state!.ageP95Secs).toBeCloseTo(0.03, 9);
  expect(aid).toMatchObject({ key: 'observation.aid', ageP50Secs: 0.03, invalidShare: 7 / 8 });
  expect(manifest.files.map(({ path }) => path)).toEqual(['README.md', 'dataset.json', 'shard-000000.tar']);
  for (const { path, bytes, digest } of manifest.files) {
    const content = await readFile(join(directory, 'webdataset', path));
    expect(bytes).toBe(content.byteLength);
    expect(digest).toBe(`sha256:${createHash('sha256').update(content).digest('hex')}`);
  }
  expect(await webdataset.verify(join(directory, 'webdataset'))).toEqual([]);

  const preparing = progress.filter(({ stage }) => stage === 'preparing');
  expect(preparing.map(({ framesDone }) => framesDone)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(preparing.map(({ episodesDone }) => episodesDone)).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  expect(progress.every(({ episodes, framesPerSec }) => episodes === 2 && framesPerSec > 0)).toBe(true);
  // 420 ms at 10 Hz are expected to give 5 frames each, until the first episode has given 4.
  expect([preparing[0]!.framesExpected, preparing[7]!.framesExpected]).toEqual([10, 9]);
  const writing = progress.filter(({ stage }) => stage === 'writing');
  expect(writing.map(({ framesDone, framesExpected }) => [framesDone, framesExpected])).toEqual([
    [4, 8],
    [8, 8],
  ]);
});

test('convertEpisodes() gives the same bytes for the same episodes', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  await writeTestEpisode(file, [arm]);
  const digests: string[][] = [];
  for (const name of ['one', 'two']) {
    const { datasets } = await convertEpisodes([file], options(join(folder.path, name)));
    digests.push(datasets[0]!.manifest.files.map(({ digest }) => digest));
  }
  expect(digests[1]).toEqual(digests[0]);
});

test('convertEpisodes() feeds several writers and names their datasets together', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  await writeTestEpisode(file, [arm]);
  const second: DatasetFormat = { ...webdataset, name: 'second' };
  const directory = join(folder.path, 'out');
  const { datasets } = await convertEpisodes([file], options(directory, { formats: [webdataset, second] }));
  expect(datasets.map(({ format, manifest }) => [format, manifest.format])).toEqual([
    ['webdataset', 'webdataset'],
    ['second', 'second'],
  ]);
  expect(await datasetsIn(directory)).toEqual(['second', 'webdataset']);
});

test('convertEpisodes() leaves nothing when an episode fails, when it gives no frame, or when it is ended', async () => {
  await using folder = await temporaryFolder();
  const [good, bad, empty] = ['good', 'bad', 'empty'].map((name) => join(folder.path, `${name}.mcap`));
  await writeTestEpisode(good!, [arm]);
  await writeTestEpisode(bad!, [joints('/arm', { 0: [1, 2, 3] })]);
  await writeTestEpisode(empty!, [joints('/aid', { 0: [1] })]);
  const directory = join(folder.path, 'out');
  const strict = { strict: true };
  await expect(convertEpisodes([good!, bad!], options(directory, strict))).rejects.toThrow(
    /shape \[2\] asks for 2/,
  );
  expect(await datasetsIn(directory)).toEqual([]);
  await expect(convertEpisodes([good!, empty!], options(directory, strict))).rejects.toThrow(
    /required stream "arm" has no message on topic "\/arm"/,
  );
  const ending = new AbortController();
  const ended = convertEpisodes(
    [good!],
    options(directory, { signal: ending.signal, onProgress: () => ending.abort() }),
  );
  await expect(ended).rejects.toThrow(/aborted/);
  expect(await datasetsIn(directory)).toEqual([]);
});

test.each([
  [
    'topic: /arm',
    'topic: /arn',
    /did you mean "\/arm"\?.* It is line 7 of the contract, "streams.arm.topic"/,
  ],
  [
    'type: sensor_msgs',
    'type: my_msgs',
    /Correct the stream's type .* line 7 of the contract, "streams.arm.type"/,
  ],
  ['field: position', 'field: "position[name=a,bb]"', /did you mean "b"\?.* line 10 of the contract/],
])('convertEpisodes() names the line of the contract that has "%s" wrong', async (from, to, message) => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  await writeTestEpisode(file, [arm]);
  const wrong = testContractFile(contract.text.slice(contract.text.indexOf('\nstreams:')).replace(from, to));
  await expect(previewEpisodes([file], { contract: wrong })).rejects.toThrow(message);
  await expect(
    convertEpisodes([file], options(join(folder.path, 'out'), { contract: wrong })),
  ).rejects.toThrow(message);
});

test('convertEpisodes() says which feature keeps an episode from giving frames', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  await writeTestEpisode(file, [
    joints('/arm', { 0: [0, 0], 400: [1, 1] }),
    joints('/aid', { 60: [1], 260: [1] }),
  ]);
  const strict = testContractFile(
    contract.text.slice(contract.text.indexOf('streams:')).replace(', required: false', ''),
  );
  const conversion = convertEpisodes([file], options(join(folder.path, 'out'), { contract: strict }));
  await expect(conversion).rejects.toThrow(
    /a frame needs a valid value of every required stream, but "observation.aid" has none at 3 of 5 ticks/,
  );
  await expect(conversion).rejects.toBeInstanceOf(ConvertError);
});

test('convertEpisodes() refuses an existing dataset and two episodes of one id before it writes', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  await writeTestEpisode(file, [arm]);
  const directory = join(folder.path, 'out');
  await convertEpisodes([file], options(directory));
  const again = convertEpisodes([file], options(directory));
  await expect(again).rejects.toThrow(/out\/webdataset": it exists already/);
  await expect(again).rejects.toBeInstanceOf(UsageError);
  const twice = convertEpisodes([file, file], options(join(folder.path, 'other')));
  await expect(twice).rejects.toThrow(/is "a" too. Give each episode once/);
  expect((await readdir(folder.path)).sort()).toEqual(['a.mcap', 'out']);
});

test('previewEpisodes() tells what a conversion gives, and writes nothing', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  await writeTestEpisode(file, [arm, joints('/aid', { 130: [5] })]);
  const preview = await previewEpisodes([file], { contract });
  expect(await readdir(folder.path)).toEqual(['a.mcap']);
  const { datasets, late } = await convertEpisodes([file], options(join(folder.path, 'out')));
  const { episodes, features } = datasets[0]!.manifest;
  expect(preview).toEqual({ episodes, features, late });
});

test('convertEpisodes() starts at the first complete tick', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  const late = joints('/arm', { 0: [0, 0], 190: [1, 1], 290: [2, 2], 310: [3, 3] });
  await writeTestEpisode(file, [{ ...late, messages: late.messages.slice(1) }, joints('/aid', { 0: [0] })]);
  const { datasets } = await convertEpisodes([file], options(join(folder.path, 'out')));
  expect(datasets[0]!.manifest.episodes[0]).toMatchObject({
    startTime: `${EPOCH + 190n * MILLI}`,
    frames: 2,
  });
});

test('convertEpisodes() splits whole groups and makes statistics of the training split alone', async () => {
  await using folder = await temporaryFolder();
  // Episode i holds the position i throughout; a mask in the middle of each.
  const files = await Promise.all(
    Array.from({ length: 8 }, async (_, i) => {
      const file = join(folder.path, `${i}.mcap`);
      const at = Object.fromEntries([0, 100, 200, 500, 600].map((millis) => [millis, [i, -i]]));
      await writeTestEpisode(file, [joints('/arm', at)], { id: `e${i}`, task: ['pick', 'place'][i % 2]! });
      return file;
    }),
  );
  const split = testContractFile(
    `split: { by: task, seed: 2, shares: { train: 0.5, val: 0.5 } }\n${contract.text.slice(contract.text.indexOf('streams:'))}`,
  );
  const { datasets } = await convertEpisodes(
    files,
    options(join(folder.path, 'out'), { contract: split, formats: [webdataset, lerobot] }),
  );
  const { manifest, directory } = datasets[1]!;
  const tasks = Map.groupBy(manifest.episodes, (episode) => episode.split);
  expect(manifest.episodes.map((episode) => episode.split)).toEqual([
    ...Array(4).fill('train'),
    ...Array(4).fill('val'),
  ]);
  for (const episodes of tasks.values()) expect(new Set(episodes.map(({ task }) => task)).size).toBe(1);
  const trained = tasks.get('train')!.map(({ id }) => Number(id.slice(1)));
  const mean = trained.reduce((sum, value) => sum + value, 0) / 4;
  const { statistics } = manifest.features.find(({ key }) => key === 'observation.state')!;
  expect(statistics!.count).toBe(4 * 5); // of 7 frames each 2 are masked
  expect(statistics!.mean).toEqual([mean, -mean]);
  expect([statistics!.min[0], statistics!.max[0]]).toEqual([Math.min(...trained), Math.max(...trained)]);
  const read = async (path: string) => JSON.parse(await readFile(join(directory, path), 'utf8'));
  expect((await read('meta/info.json')).splits).toEqual({ train: '0:4', val: '4:8' });
  const stats = (await read('meta/stats.json'))['observation.state'];
  expect([stats.count, stats.mean]).toEqual([[20], [mean, -mean]]);
  expect(await lerobot.verify(directory)).toEqual([]);
});

test('convertEpisodes() makes an episode of each stretch that labels keep, and leaves discarded ones out', async () => {
  await using folder = await temporaryFolder();
  const [cut, gone] = [join(folder.path, 'cut.mcap'), join(folder.path, 'gone.mcap')];
  await writeTestEpisode(cut, [arm]);
  await writeTestEpisode(gone, [arm]);
  const at = (millis: number) => EPOCH + BigInt(millis) * MILLI;
  const said = { author: 'tester', time: new Date(0).toISOString() };
  const ranges = [
    { startTime: at(0), endTime: at(150) },
    { startTime: at(180), endTime: at(420) },
  ];
  await appendLabel(cut, { ...said, label: { kind: 'trim', ranges } });
  await appendLabel(gone, { ...said, label: { kind: 'decision', value: 'discard' } });
  const { datasets, discarded } = await convertEpisodes([cut, gone], options(join(folder.path, 'out')));
  expect(discarded).toEqual([gone]);
  const { episodes } = datasets[0]!.manifest;
  expect(episodes.map(({ id, frames, startTime }) => [id, frames, startTime])).toEqual([
    ['cut-1', 2, `${at(0)}`],
    ['cut-2', 2, `${at(200)}`],
  ]);
  expect(new Set(episodes.map(({ digest }) => digest))).toEqual(new Set([await fileDigest(cut)]));
  const nothing = convertEpisodes([gone], options(join(folder.path, 'none')));
  await expect(nothing).rejects.toThrow(/a label discards each of the 1 recordings/);
});
