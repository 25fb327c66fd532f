import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EPISODE_RECORD } from './episode.ts';
import { EpisodeWriter } from './episode-writer.ts';
import { channelSpec, someMessages, temporaryFolder } from './fixtures/episodes.ts';
import { appendLabel } from './labels.ts';
import { readLibrary } from './library.ts';
import { findingsFileOf } from './library-entry.ts';
import { CACHE_DIRECTORY, LibraryIndex } from './library-index.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let cacheFile: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  cacheFile = join(folder.path, CACHE_DIRECTORY, 'index.json');
});
afterEach(() => folder[Symbol.asyncDispose]());

const fileOf = (id: string) => join(folder.path, `${id}.mcap`);

async function record(id: string, task: string): Promise<string> {
  const writer = await EpisodeWriter.open(fileOf(id));
  for (let i = 0; i < 3; i++) writer.addChannel(channelSpec(`/topic${i}`));
  for (const message of someMessages(30)) await writer.write(message);
  const take = { id, contract: 'arm', contractDigest: '', robot: 'arm-1', task, operator: 'op-1' };
  const origin = { source: 'demo', recorderVersion: '0', startTime: '0', clockSystemTime: '0' };
  await writer.addMetadata(
    EPISODE_RECORD,
    new Map(Object.entries({ ...take, ...origin, clockMonotonicNanos: '0' })),
  );
  await writer.close();
  return fileOf(id);
}

async function refreshed(index = new LibraryIndex(folder.path)): Promise<LibraryIndex> {
  await index.refresh((await readLibrary(folder.path)).episodes);
  return index;
}

const say = (file: string, label: Parameters<typeof appendLabel>[1]['label']) =>
  appendLabel(file, { author: 'a', time: new Date().toISOString(), label });

const REPORT = {
  kinescribe: 1,
  episodeDigest: `sha256:${'0'.repeat(64)}`,
  limitsDigest: `sha256:${'0'.repeat(64)}`,
  version: '0',
  verdict: 'REVIEW',
  reasons: [],
  findings: [],
};

describe('LibraryIndex', () => {
  it('get() tells what recording, labels and checks say', async () => {
    const file = await record('arm-0001', 'pick');
    await say(file, { kind: 'outcome', value: 'failure' });
    await say(file, { kind: 'quality', value: 2 });
    await writeFile(findingsFileOf(file), JSON.stringify(REPORT));
    expect((await refreshed()).get(file)).toEqual({
      bytes: (await stat(file)).size,
      fault: null,
      startTime: '1699999999986000000',
      durationSecs: expect.closeTo(0.041, 5),
      messageCount: 30,
      lostMessages: null,
      robot: 'arm-1',
      task: 'pick',
      operator: 'op-1',
      session: null,
      scene: null,
      object: null,
      outcome: 'failure',
      quality: 2,
      decision: null,
      note: null,
      verdict: 'REVIEW',
    });
  });

  it('refresh() sees what changed: a label, a report, a new file, one that has gone, one that was replaced', async () => {
    const first = await record('arm-0001', 'pick');
    const second = await record('arm-0002', 'pick');
    const index = await refreshed();
    await say(first, { kind: 'decision', value: 'discard' });
    await writeFile(findingsFileOf(first), '{"kinescribe":2}'); // of a later version: as if it were not there
    const third = await record('arm-0003', 'push');
    await rm(second);
    await refreshed(index);
    expect(index.get(first)).toMatchObject({ decision: 'discard', verdict: null });
    expect(index.get(second)).toBeUndefined();
    expect(index.get(third)?.task).toBe('push');
    await rename(await record('arm-0009', 'stack the blocks'), third);
    await refreshed(index);
    expect(index.get(third)?.task).toBe('stack the blocks');
  });

  it('a second index opens no episode that has not changed', async () => {
    const file = await record('arm-0001', 'pick');
    await refreshed();
    const before = await stat(file);
    await writeFile(file, Buffer.alloc(before.size)); // would be unreadable if it were read
    const cache = await readFile(cacheFile, 'utf8');
    const stamped = cache.replace(/"mtimeMillis":[\d.]+/, `"mtimeMillis":${(await stat(file)).mtimeMs}`);
    await writeFile(cacheFile, stamped);
    expect((await refreshed()).get(file)).toMatchObject({ fault: null, task: 'pick' });
  });

  it('the index moves with its library', async () => {
    await record('arm-0001', 'pick');
    await refreshed();
    const cache = await readFile(cacheFile, 'utf8');
    expect(cache).not.toContain(folder.path);
  });

  it.each(['', '{', '{"kinescribeIndex":0,"episodes":{}}', 'null'])(
    'a cache that says %j is made again',
    async (content) => {
      const file = await record('arm-0001', 'pick');
      await mkdir(join(folder.path, CACHE_DIRECTORY));
      await writeFile(cacheFile, content);
      expect((await refreshed()).get(file)?.task).toBe('pick');
      expect(JSON.parse(await readFile(cacheFile, 'utf8'))).toHaveProperty('kinescribeIndex', 1);
    },
  );

  it('get() says why a file cannot be read', async () => {
    await writeFile(fileOf('broken'), 'no mcap');
    const index = await refreshed();
    expect(index.get(fileOf('broken'))).toMatchObject({
      bytes: 7,
      fault: expect.stringContaining('broken.mcap'),
    });
  });

  it('works in memory where the cache cannot be written', async () => {
    const file = await record('arm-0001', 'pick');
    await writeFile(join(folder.path, CACHE_DIRECTORY), 'a file where the folder should be');
    expect((await refreshed()).get(file)?.task).toBe('pick');
    const loose = new LibraryIndex();
    await loose.refresh([file]);
    expect(loose.get(file)?.task).toBe('pick');
  });
});
