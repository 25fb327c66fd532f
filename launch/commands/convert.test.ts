import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { writePictureContract, writePictureEpisode } from '../../converters/picture-episodes.fixture.ts';
import { temporaryFolder } from '../../schemas/fixtures/episodes.ts';
import { convert } from './convert.ts';
import { verify } from './verify.ts';

const said: string[] = [];
beforeEach(() => {
  said.length = 0;
  vi.spyOn(console, 'log').mockImplementation((line: string) => void said.push(line));
});
afterEach(() => {
  vi.restoreAllMocks();
});

test('convert() and verify() exit with 3 when something is missing, and name it', async () => {
  await using folder = await temporaryFolder();
  const at = (name: string) => join(folder.path, name);
  const contract = await writePictureContract(folder.path);
  const [first, second, broken] = [at('take-1.mcap'), at('take-2.mcap'), at('take-3.mcap')];
  await writePictureEpisode(first, { episode: 1, messages: 5 });
  await writeFile(broken, 'no recording');
  const options = { contract, format: 'webdataset', out: at('datasets'), workers: 2 };

  expect(await convert([first, broken], options)).toBe(3);
  expect(said.join('\n')).toMatch(/SKIPPED .*take-3\.mcap: .*take-3\.mcap/);
  await expect(convert([first, broken], { ...options, out: at('strict'), strict: true })).rejects.toThrow(
    'take-3.mcap',
  );
  await rm(broken);
  await writePictureEpisode(second, { episode: 2, messages: 5 });
  expect(await convert([first, second], { ...options, append: true })).toBe(0);

  const dataset = join(at('datasets'), 'webdataset');
  const against = [first, second];
  expect(await verify([dataset], { against, contract })).toBe(0);
  expect(said.at(-1)).toMatch(/: sound \(webdataset, 2 episodes, 8 frames/);
  expect(await verify([dataset], { against: [first], contract })).toBe(3);
  expect(said.join('\n')).toMatch(
    /FAULT episode "take-2": its recording "take-2.mcap" .* is not among those given/,
  );
});
