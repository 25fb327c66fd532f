import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EpisodeReader } from '../../schemas/episode-reader.ts';
import { EpisodeWriter } from '../../schemas/episode-writer.ts';
import { channelSpec, someMessages, temporaryFolder } from '../../schemas/fixtures/episodes.ts';
import { info } from './info.ts';
import { recover } from './recover.ts';

let printed = '';
beforeEach(() => {
  printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

async function writeEpisode(file: string): Promise<EpisodeWriter> {
  const writer = await EpisodeWriter.open(file, { chunkBytes: 3000 });
  for (const topic of ['/a', '/b', '/c']) writer.addChannel(channelSpec(topic));
  for (const message of someMessages(300)) await writer.write(message);
  await writer.flush();
  return writer;
}

test('recover() exits with 0, 3 or 1 and names the episode', async () => {
  await using folder = await temporaryFolder();
  const sound = join(folder.path, 'sound.mcap');
  await (await writeEpisode(sound)).close();
  expect(await recover([sound])).toBe(0);
  expect(printed).toContain('300 messages → ');
  await using reader = await EpisodeReader.open(join(folder.path, 'sound-recovered.mcap'));
  expect(reader.messageCount).toBe(300);

  const cut = join(folder.path, 'cut.mcap');
  await (await writeEpisode(cut)).abort();
  await truncate(`${cut}.part`, 5000);
  expect(await recover([`${cut}.part`])).toBe(3);
  expect(printed).toContain('had not been ended');
  await using recovered = await EpisodeReader.open(cut);
  expect(recovered.messageCount).toBeGreaterThan(0);

  const text = join(folder.path, 'text.mcap');
  await writeFile(text, 'nothing of the kind');
  expect(await recover([text])).toBe(1);
  expect(printed).toContain('no message found');
});

test('recover() refuses a target that exists and a single output for several inputs', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  await (await writeEpisode(file)).close();
  await expect(recover([file], { output: file })).rejects.toMatchObject({ code: 'USAGE' });
  await expect(recover([file, file], { output: `${file}.b` })).rejects.toMatchObject({ code: 'USAGE' });
  await expect(recover([join(folder.path, 'absent.mcap')])).rejects.toMatchObject({ code: 'USAGE' });
});

test('info() says what is in a file and what is missing from it', async () => {
  await using folder = await temporaryFolder();
  const cut = join(folder.path, 'cut.mcap');
  await (await writeEpisode(cut)).abort();
  await expect(info([`${cut}.part`])).rejects.toThrow(/kinescribe recover/);
  await recover([`${cut}.part`]);
  printed = '';
  expect(await info([cut])).toBe(0);
  expect(printed).toMatch(/300 messages/);
  expect(printed).toMatch(/\/a +std_msgs\/msg\/String +100 +\d+\.\d +0 or more/);
  expect(printed).toMatch(/LOST \/a: unknown number damaged at/);
  printed = '';
  expect(await info([cut], { json: true, deep: true })).toBe(0);
  const [summary] = JSON.parse(printed);
  expect(summary).toMatchObject({
    messageCount: 300,
    isRecovered: true,
    examination: { result: 'lossless' },
  });
  expect(summary.streams[0].largestGapSecs).toBeGreaterThan(0);
});

test('info() with deep finds a flipped bit anywhere in the data and exits with 3', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  await (await writeEpisode(file)).close();
  const bytes = await readFile(file);
  await using reader = await EpisodeReader.open(file);
  const { offset, length, messageIndexBytes } = reader.chunks[1]!;
  for (const at of [offset + 60, offset + length + messageIndexBytes - 3]) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 1;
    await writeFile(file, damaged);
    expect(await info([file])).toBe(0);
    expect(await info([file], { deep: true })).toBe(3);
    expect(printed).toMatch(/integrity {4}1 damaged places/);
    expect(printed).toMatch(/bytes \d+ to \d+: /);
  }
});
