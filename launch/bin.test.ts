import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const BIN = join(import.meta.dirname, 'bin.js');
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kinescribe-bin-'));
});
afterAll(() => rm(directory, { recursive: true }));

/** Its version as a user with this environment and no other sees it. */
async function version(env: Readonly<NodeJS.ProcessEnv>): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [BIN, '--version'], { env });
  return stdout + stderr;
}

describe('launch/bin.js', () => {
  it("keeps what it compiled in the user's own cache", async () => {
    expect(await version({ HOME: directory })).toMatch(/^\d+\.\d+\.\d+\n$/);
    const [ofThisNode, ...others] = await readdir(join(directory, '.cache/kinescribe'));
    expect([ofThisNode, others]).toEqual([expect.stringContaining(process.version), []]);
  });

  it('starts where nothing can be kept', async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    // [environment]
    for (const env of [{ HOME: file }, { XDG_CACHE_HOME: file }, { TMPDIR: file }]) {
      expect(await version(env)).toMatch(/^\d+\.\d+\.\d+\n$/);
    }
  });
});
