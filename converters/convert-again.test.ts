import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseContract } from '../schemas/contract-file.ts';
import { UsageError } from '../schemas/errors.ts';
import { fileDigest } from '../schemas/file-digest.ts';
import { seededRandom } from '../schemas/fixtures/episodes.ts';
import { ownerFields } from '../schemas/part-owner.ts';
import { type ConvertOptions, convertEpisodes } from './convert.ts';
import { filesBelow } from './files-below.ts';
import { lerobot } from './lerobot/lerobot.ts';
import { pictureContract, writePictureEpisode } from './picture-episodes.fixture.ts';
import { PREPARED } from './prepared/prepared-folder.ts';
import { webdataset } from './webdataset/webdataset.ts';
import { zarr, zarrZip } from './zarr/zarr.ts';

/** Of each recording: an action that is the next state is unknown at the last of 12. */
const FRAMES = 11;
const CAMERAS = 2;
/** Pixels and JPEG. */
const FORMS = 2;
/** Conversions that are killed before one is left alone; more than that may be asked for. */
const KILLS = Number(process.env.TEST_KILLS ?? 2);
const PROGRAM = join(import.meta.dirname, 'convert-again.fixture.ts');

let root: string;
let recordings: string;
let contract: string;
let files: string[];
/** What datasets of all recordings hold that one process made in one go, with video and without. */
let withVideo: ReadonlyMap<string, string>;
let expected: ReadonlyMap<string, string>;
/** Folder of those without. */
let whole: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'again-'));
  recordings = join(root, 'recordings');
  files = [0, 1, 2].map((i) => join(recordings, `take-${i}.mcap`));
  await mkdir(recordings);
  for (const [episode, file] of files.entries()) await writePictureEpisode(file, { episode, messages: 12 });
  contract = join(root, 'contract.yaml');
  await writeFile(contract, ONE_CAMERA.text);
  await convertEpisodes(files, options(join(root, 'video'), VIDEO));
  withVideo = await contents(join(root, 'video'));
  whole = join(root, 'whole');
  await convertEpisodes(files, options(whole));
  expected = await contents(whole);
}, 60_000);
afterAll(() => rm(root, { recursive: true }));

/** Without the second camera: video takes long to encode. */
const ONE_CAMERA = parseContract(pictureContract.text.replace(/^.*wrist.*\n/gm, ''), 'contract.yaml');
const VIDEO = { formats: [lerobot, webdataset, zarrZip], contract: ONE_CAMERA };

function options(directory: string, part: Partial<ConvertOptions> = {}): ConvertOptions {
  return {
    contract: pictureContract,
    formats: [zarr, zarrZip, webdataset],
    directory,
    version: '0.0.0',
    ...part,
  };
}

/** Digest of every file of every dataset. */
async function contents(directory: string): Promise<ReadonlyMap<string, string>> {
  const paths = (await filesBelow(directory)).filter((path) => !path.startsWith(PREPARED));
  return new Map(
    await Promise.all(paths.map(async (path) => [path, await fileDigest(join(directory, path))] as const)),
  );
}

/** Episodes that lie prepared, pictures and all. */
function preparedEpisodes(directory: string): number {
  const names = readdirSync(join(directory, PREPARED), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.bin')).length / (CAMERAS * FORMS);
}

/** Whether anything lives that a process started which led its own group. */
function isGroupAlive(leader: number): boolean {
  try {
    return process.kill(-leader, 0);
  } catch {
    return false;
  }
}

/** Counts the frames that a conversion decodes. */
function counting(part: Partial<ConvertOptions> = {}) {
  let decoded = 0;
  const onProgress: ConvertOptions['onProgress'] = ({ stage }) => {
    if (stage === 'preparing') decoded++;
  };
  return { part: { ...part, onProgress }, decoded: () => decoded };
}

test('convertEpisodes() gives the same bytes with one worker and with four', async () => {
  const directory = join(root, 'four');
  const { part, decoded } = counting({ workers: 4, ...VIDEO });
  await convertEpisodes(files, options(directory, part));
  expect(await contents(directory)).toEqual(withVideo);
  expect(decoded()).toBe(3 * FRAMES);
});

test('convertEpisodes() killed at random instants and resumed gives what one gives that was not', async () => {
  const directory = join(root, 'killed');
  const random = seededRandom(7);
  let kills = 0;
  for (let attempt = 0; attempt < KILLS + 20; attempt++) {
    const args = [PROGRAM, recordings, directory, contract, String(1 + (attempt % 2)), 'resume'];
    const stdio = ['ignore', 'ignore', 'inherit'] as const;
    const child = spawn(process.execPath, args, { stdio: [...stdio], detached: true });
    const ended = once(child, 'exit');
    // From the start of the process to where one that nobody kills ends; the last ones are left alone.
    // Once it alone is killed, as by the kernel that is short of memory, once with all that it started.
    const killed = attempt % 2 ? child.pid! : -child.pid!;
    const timer =
      attempt < KILLS ? setTimeout(() => process.kill(killed, 'SIGKILL'), 300 + random() * 1000) : undefined;
    const [code, signal] = await ended;
    clearTimeout(timer);
    await expect.poll(() => isGroupAlive(child.pid!), { timeout: 30_000 }).toBe(false);
    if (code === 0) break;
    expect(signal).toBe('SIGKILL');
    kills++;
  }
  expect(kills).toBeGreaterThan(0);
  expect(await contents(directory)).toEqual(withVideo);
  expect((await filesBelow(directory)).filter((path) => /\.part|owner/.test(path))).toEqual([]);
});

test('convertEpisodes() takes up what is prepared with resume, and begins anew without', async () => {
  const directory = join(root, 'resumed');
  await cp(join(whole, PREPARED), join(directory, PREPARED), { recursive: true });
  const resumed = counting({ resume: true });
  await convertEpisodes(files, options(directory, resumed.part));
  expect(resumed.decoded()).toBe(0);
  expect(await contents(directory)).toEqual(expected);
  await rm(join(directory, 'zarr'), { recursive: true });
  await rm(join(directory, 'zarr-zip'), { recursive: true });
  await rm(join(directory, 'webdataset'), { recursive: true });
  const anew = counting();
  const lying: number[] = [];
  const onProgress: ConvertOptions['onProgress'] = (progress) => {
    anew.part.onProgress(progress);
    if (progress.stage === 'writing') lying.push(preparedEpisodes(directory));
  };
  await convertEpisodes(files, options(directory, { onProgress, keepPrepared: false }));
  expect(anew.decoded()).toBe(3 * FRAMES);
  // What is written does not lie there a second time.
  expect([...new Set(lying)]).toEqual([2, 1, 0]);
  expect(await readdir(directory)).toEqual(['webdataset', 'zarr', 'zarr-zip']);
});

test('convertEpisodes() prepares an episode again when its prepared files are not whole', async () => {
  const directory = join(root, 'changed');
  await cp(join(whole, PREPARED), join(directory, PREPARED), { recursive: true });
  const [path] = (await filesBelow(join(directory, PREPARED))).filter((each) => each.endsWith('.bin'));
  await writeFile(join(directory, PREPARED, path!), '');
  const { part, decoded } = counting({ resume: true });
  await convertEpisodes(files, options(directory, part));
  expect(decoded()).toBe(FRAMES);
  expect(await contents(directory)).toEqual(expected);
});

test('convertEpisodes() appends what is new, and gives what a conversion of all gives', async () => {
  const directory = join(root, 'appended');
  await convertEpisodes(files.slice(0, 2), options(directory));
  // The recordings that are in the datasets already need not be at hand.
  const { part, decoded } = counting({ append: true });
  await convertEpisodes(files.slice(2), options(directory, part));
  expect(decoded()).toBe(FRAMES);
  expect(await contents(directory)).toEqual(expected);
  const same = counting({ append: true });
  await convertEpisodes(files, options(directory, same.part));
  expect(same.decoded()).toBe(0);
  expect(await contents(directory)).toEqual(expected);
});

test('convertEpisodes() appends by converting again when nothing is kept ready, or says what it needs', async () => {
  const directory = join(root, 'appended-anew');
  await convertEpisodes(files.slice(0, 2), options(directory, { keepPrepared: false }));
  const before = await contents(directory);
  const missing = convertEpisodes(files.slice(2), options(directory, { append: true }));
  await expect(missing).rejects.toThrow(/"take-0" of the dataset is not kept ready.*"take-0.mcap" too/);
  await expect(missing).rejects.toBeInstanceOf(UsageError);
  expect(await contents(directory)).toEqual(before);
  await convertEpisodes(files, options(directory, { append: true }));
  expect(await contents(directory)).toEqual(expected);
});

test('convertEpisodes() goes on where an exchange of datasets was cut off', async () => {
  const directory = join(root, 'exchanged');
  await convertEpisodes(files.slice(0, 2), options(directory));
  await convertEpisodes(files, options(join(root, 'newer'), { formats: [zarr] }));
  // One format has its new dataset already, the other is in the middle of it.
  await rm(join(directory, 'zarr'), { recursive: true });
  await rename(join(root, 'newer', 'zarr'), join(directory, 'zarr'));
  await rename(join(directory, 'webdataset'), join(directory, 'webdataset.old'));
  await expect(convertEpisodes(files, options(directory))).rejects.toThrow(/it exists already/);
  await convertEpisodes(files, options(directory, { append: true }));
  expect(await contents(directory)).toEqual(expected);
});

test('convertEpisodes() ends its workers when it is ended', async () => {
  const directory = join(root, 'ended');
  const ending = new AbortController();
  const onProgress = () => ending.abort();
  const ended = convertEpisodes(files, options(directory, { workers: 2, signal: ending.signal, onProgress }));
  await expect(ended).rejects.toThrow(/aborted/);
  expect(await readdir(directory)).toEqual([PREPARED]);
  // The folder is free again, and nothing half prepared lies in it.
  await convertEpisodes(files, options(directory, { resume: true }));
  expect(await contents(directory)).toEqual(expected);
});

test('convertEpisodes() refuses to append to a dataset of another contract', async () => {
  const other = { ...pictureContract, digest: `sha256:${'9'.repeat(64)}` };
  const appending = convertEpisodes(files, options(whole, { contract: other, append: true }));
  await expect(appending).rejects.toThrow(/whole\/zarr": it was made under another version of the contract/);
  await expect(appending).rejects.toBeInstanceOf(UsageError);
});

test('convertEpisodes() refuses a folder that another conversion writes into', async () => {
  const directory = join(root, 'busy');
  await cp(join(whole, PREPARED), join(directory, PREPARED), { recursive: true });
  await writeFile(join(directory, PREPARED, 'owner.json'), JSON.stringify([...(await ownerFields())]));
  await expect(convertEpisodes(files, options(directory))).rejects.toThrow(
    `another conversion is writing there (process ${process.pid})`,
  );
});

test.each([1, 2])('convertEpisodes() leaves a recording out that fails, with %i workers', async (workers) => {
  const directory = join(root, `faulty-${workers}`);
  const broken = join(root, 'broken.mcap');
  await writeFile(broken, 'no recording');
  const mute = join(root, `mute-${workers}.mcap`);
  await writePictureEpisode(mute, { episode: 9, messages: 1 });
  const { skipped } = await convertEpisodes(
    [files[0]!, broken, files[1]!, mute, files[2]!],
    options(directory, { workers }),
  );
  expect(skipped.map(({ file }) => file)).toEqual([broken, mute]);
  const changed = await contents(directory);
  const differing = [...expected].filter(([path, digest]) => changed.get(path) !== digest);
  // What is left out is said in manifests and cards; all else is as if it had never been named.
  expect(differing.map(([path]) => path.replace(/^.*\//, ''))).toEqual([
    ...['README.md', 'manifest.json', 'README.md', 'manifest.json', 'README.md', 'manifest.json'],
  ]);
  const strict = convertEpisodes([files[0]!, mute], options(join(root, 'strict'), { workers, strict: true }));
  await expect(strict).rejects.toThrow(skipped[1]!.fault.message);
});
