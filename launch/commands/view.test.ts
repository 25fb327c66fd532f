import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { UsageError } from '../../schemas/errors.ts';
import { writeFixture } from '../../viewer/episode.fixture.ts';
import { layout } from './layout.ts';
import { startViewer, view } from './view.ts';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kinescribe-view-'));
  await writeFixture(join(directory, 'my arm.mcap'), { '/a': { atMillis: [0, 10] } });
});
afterAll(() => rm(directory, { recursive: true }));

describe('startViewer()', () => {
  test('serves a library under the addresses that it returns', async () => {
    const viewer = await startViewer([directory], { port: 0, token: 'a b' });
    const answers = await Promise.all(
      [viewer.fileUrl, viewer.layoutUrl].map(async (url) => (await fetch(url)).status),
    );
    expect(answers).toEqual([200, 200]);
    expect(viewer.webSocketUrl).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/\?token=a%20b$/);
    expect(new URL(viewer.foxgloveUrl).searchParams.get('ds.url')).toBe(viewer.webSocketUrl);
    await viewer.close();
    await expect(fetch(viewer.fileUrl)).rejects.toThrow();
  });

  test('refuses a folder without episodes, and a path that does not exist', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'kinescribe-view-'));
    await expect(startViewer([empty])).rejects.toThrow(UsageError);
    await rm(empty, { recursive: true });
    await expect(startViewer([join(directory, 'none.mcap')])).rejects.toThrow(UsageError);
  });
});

describe('view()', () => {
  test('prints the addresses and ends with 0 on SIGINT', async () => {
    const printed = Promise.withResolvers<string>();
    const log = vi.spyOn(console, 'log').mockImplementation((text: string) => printed.resolve(text));
    const ended = view([directory], { port: 0 });
    expect(await printed.promise).toMatch(/https:\/\/app\.foxglove\.dev\/.*\n.*ws:\/\//);
    process.emit('SIGINT');
    expect(await ended).toBe(0);
    log.mockRestore();
  });
});

describe('layout()', () => {
  test('writes a layout for an episode and refuses unknown formats', async () => {
    const output = join(directory, 'layout.json');
    expect(await layout(join(directory, 'my arm.mcap'), { format: 'foxglove', output })).toBe(0);
    await expect(layout('x.mcap', { format: 'rviz' })).rejects.toThrow(/lichtblick, foxglove/);
  });
});
