import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { EpisodeReader } from './episode-reader.ts';
import { EpisodeWriter } from './episode-writer.ts';
import { channelSpec, someMessages, temporaryFolder } from './fixtures/episodes.ts';
import { type FilledTake, fillDisk } from './fixtures/filling-take.ts';

/** Messages and named losses together are what was sent, and the file is a whole one. */
async function expectValidEpisode(file: string, take: FilledTake): Promise<void> {
  await using reader = await EpisodeReader.open(file);
  expect(reader.isIndexed).toBe(true);
  let count = 0;
  for await (const { data } of reader.messages()) if (data.byteLength > 0) count++;
  expect(count).toBeGreaterThan(100);
  expect(take.writtenCount).toBe(count);
  expect(take.lostCount).toBe(take.sentCount - count);
  const losses = (await reader.ledger())!.losses;
  expect(losses.reduce((sum, { messages }) => sum + messages!, 0)).toBe(take.lostCount);
  expect(take.staysRefused).toBe(true);
}

/** Undefined where this process may not mount. */
const smallDisk = await (async () => {
  const folder = await temporaryFolder();
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder.path]).status === 0;
  return mounted ? folder : undefined;
})();
afterAll(async () => {
  if (!smallDisk) return;
  execFileSync('umount', [smallDisk.path]);
  await smallDisk[Symbol.asyncDispose]();
});

test.skipIf(!smallDisk)(
  'a full disk ends the take with a valid file (needs the right to mount)',
  async () => {
    const file = join(smallDisk!.path, 'take.mcap');
    const take = await fillDisk(file);
    expect(take.failure).toMatch(/Cannot write to ".*\.mcap\.part": ENOSPC/);
    await expectValidEpisode(file, take);
    expect(await readdir(smallDisk!.path)).toEqual(['take.mcap']);
  },
);

test.skipIf(process.platform === 'win32')(
  'a limit on the file size ends the take with a valid file',
  async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'take.mcap');
    const script = join(import.meta.dirname, 'fixtures/filling-take.ts');
    // The limit counts blocks of 512 bytes; without the trap its signal would kill the process.
    const limited = 'trap "" XFSZ; ulimit -f 6000; exec "$0" "$@"';
    const output = execFileSync('sh', ['-c', limited, process.execPath, script, file], { encoding: 'utf8' });
    const take: FilledTake = JSON.parse(output);
    expect(take.failure).toMatch(/Cannot write to ".*\.mcap\.part": EFBIG/);
    await expectValidEpisode(file, take);
  },
);

describe('a folder that does not take an episode', () => {
  test.skipIf(process.platform !== 'linux')(
    'is refused before the first message when it is read-only',
    async () => {
      // Root may write everywhere but where nobody may.
      await expect(EpisodeWriter.open('/proc/take.mcap')).rejects.toMatchObject({
        code: 'EPISODE',
        message: expect.stringMatching(
          /Cannot create episode "\/proc\/take\.mcap": .*folder exists and is writable/,
        ),
      });
    },
  );

  test('vanished meanwhile: close() says so and the part is where the folder went', async () => {
    await using folder = await temporaryFolder();
    const [before, after] = [join(folder.path, 'before'), join(folder.path, 'after')];
    await mkdir(before);
    const writer = await EpisodeWriter.open(join(before, 'take.mcap'));
    writer.addChannel(channelSpec('/a'));
    for (const message of someMessages(10, { channels: 1 })) await writer.write(message);
    await rename(before, after);
    await expect(writer.close()).rejects.toMatchObject({
      code: 'RECORD',
      message: expect.stringMatching(/Cannot complete episode .*ENOENT.*kinescribe recover/),
    });
    await using reader = await EpisodeReader.open(join(after, 'take.mcap.part'));
    expect(reader.messageCount).toBe(10);
  });
});
