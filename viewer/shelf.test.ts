import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fixtureEpisode, writeFixture } from './episode.fixture.ts';
import { EpisodeShelf } from './shelf.ts';

const TOPICS = { '/a': { atMillis: [0] } };

describe('EpisodeShelf', () => {
  test('of() names the path that does not exist', async () => {
    await expect(EpisodeShelf.of(['/no/such/episode.mcap'])).rejects.toThrow('/no/such/episode.mcap');
  });

  test('list() shows new takes of a folder, each file once', async () => {
    await using episode = await fixtureEpisode(TOPICS);
    const shelf = await EpisodeShelf.of([episode.directory, episode.file]);
    expect((await shelf.list()).map(({ id }) => id)).toEqual(['arm-0001']);
    const file = join(episode.directory, 'arm-0002.mcap');
    await writeFixture(file, TOPICS);
    expect((await shelf.list()).map(({ id }) => id)).toEqual(['arm-0001', 'arm-0002']);
    await rm(file);
    expect((await shelf.list()).map(({ id }) => id)).toEqual(['arm-0001']);
  });

  test('list() numbers files of one name', async () => {
    await using first = await fixtureEpisode(TOPICS);
    await using second = await fixtureEpisode(TOPICS);
    const shelf = await EpisodeShelf.of([first.file, second.file]);
    expect((await shelf.list()).map(({ id }) => id)).toEqual(['arm-0001', 'arm-0001-2']);
    expect(await shelf.find('arm-0001-2')).toEqual({ id: 'arm-0001-2', file: second.file });
    expect(await shelf.find('../arm-0001')).toBeUndefined();
  });

  test('borrow() shares one reader until its last user gives it back', async () => {
    await using episode = await fixtureEpisode(TOPICS);
    const shelf = await EpisodeShelf.of([episode.file]);
    const shelved = (await shelf.find())!;
    const [one, two] = await Promise.all([shelf.borrow(shelved), shelf.borrow(shelved)]);
    expect(one.reader).toBe(two.reader);
    await one[Symbol.asyncDispose]();
    expect((await two.reader.messages().next()).done).toBe(false);
    await two[Symbol.asyncDispose]();
    await using anew = await shelf.borrow(shelved);
    expect(anew.reader).not.toBe(one.reader);
  });
});
