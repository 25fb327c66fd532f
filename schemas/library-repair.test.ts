import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, readdir, readFile, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EpisodeReader } from './episode-reader.ts';
import { temporaryFolder } from './fixtures/episodes.ts';
import { repairLibrary } from './library-repair.ts';

async function startTake(file: string) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'fixtures/endless-take.ts'), file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
}

test('repairLibrary() leaves a take alone while its process lives and recovers it afterwards', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'robot-0001.mcap');
  const kill = await startTake(file);
  expect(await repairLibrary(folder.path)).toEqual([{ kind: 'busy', part: `${file}.part` }]);
  await kill();
  expect(await repairLibrary(folder.path)).toMatchObject([
    { kind: 'recovered', episode: file, report: { messageCount: 100, isClosed: false, damages: [] } },
  ]);
  expect(await readdir(folder.path)).toEqual(['robot-0001.mcap']);
  await using reader = await EpisodeReader.open(file);
  expect(reader.messageCount).toBe(100);
  expect(await reader.ledger()).toMatchObject({
    totals: [{ topic: '/a', received: 100, written: 100 }],
    losses: [{ topic: '/a', cause: 'damaged', messages: null }],
  });
  expect(await repairLibrary(folder.path)).toEqual([]);
});

test('repairLibrary() keeps an original that it could not read completely', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'robot-0001.mcap');
  const kill = await startTake(file);
  await kill();
  await appendFile(`${file}.part`, Buffer.alloc(1000, 7));
  const original = await readFile(`${file}.part`);
  expect(await repairLibrary(folder.path)).toMatchObject([{ kind: 'recovered', episode: file }]);
  expect(await readdir(folder.path)).toEqual(['robot-0001.mcap', 'robot-0001.mcap.damaged']);
  expect(Buffer.compare(await readFile(`${file}.damaged`), original)).toBe(0);
});

test('repairLibrary() puts a part aside that has nothing new', async () => {
  await using folder = await temporaryFolder();
  const empty = join(folder.path, 'robot-0001.mcap');
  await writeFile(`${empty}.part`, '');
  expect(await repairLibrary(folder.path)).toEqual([{ kind: 'busy', part: `${empty}.part` }]); // it is new
  await utimes(`${empty}.part`, 0, 0);
  const twice = join(folder.path, 'robot-0002.mcap');
  await (await startTake(twice))();
  await writeFile(twice, 'an episode that recovery had finished');
  expect(await repairLibrary(folder.path)).toEqual([
    { kind: 'put-aside', damaged: `${empty}.damaged` },
    { kind: 'put-aside', damaged: `${twice}.damaged` },
  ]);
  expect(await readFile(twice, 'utf8')).toBe('an episode that recovery had finished');
});

test('repairLibrary() finishes what an earlier repair was killed in', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'robot-0001.mcap');
  await (await startTake(file))();
  await writeFile(`${file}.recovering`, 'half');
  expect(await repairLibrary(folder.path)).toMatchObject([{ kind: 'recovered' }]);
  await rename(file, `${file}.part`);
  expect(await repairLibrary(folder.path)).toMatchObject([
    { kind: 'recovered', report: { result: 'lossless', messageCount: 100 } },
  ]);
});
