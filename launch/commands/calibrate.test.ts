import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EpisodeReader } from '../../schemas/episode-reader.ts';
import { UsageError } from '../../schemas/errors.ts';
import { currentLabels, readLabels } from '../../schemas/labels.ts';
import { CALIBRATION_TASK } from '../calibration-take.ts';
import { calibrate } from './calibrate.ts';

const CONTRACT = join(import.meta.dirname, '../contracts/demo-arm.yaml');

let out: string;
beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), 'kinescribe-calibrate-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(out, { recursive: true });
});

test('calibrate() records free motion from a live robot, tells what to do, and keeps it apart from training', {
  timeout: 60_000,
}, async () => {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const options = { source: 'demo', contract: CONTRACT, duration: 1.5, out };
  // Long enough to see all of the recording, too short to be measured.
  await expect(calibrate([], options)).rejects.toThrow(
    /needs 10 s or more of free motion .* it lasts \d\.\d s/,
  );
  const told = write.mock.calls.map(([text]) => String(text)).join('');
  expect(told).toMatch(/home pose.*Touch nothing.*2 s left: stay at the home pose/s);

  const [name] = (await readdir(out)).filter((each) => each.endsWith('.mcap'));
  const file = join(out, name!);
  await using reader = await EpisodeReader.open(file);
  expect((await reader.info())!.task).toBe(CALIBRATION_TASK);
  const { decision, marks } = currentLabels(await readLabels(file));
  expect(decision!.label.value).toBe('discard');
  expect(marks.map(({ label }) => label.name)).toEqual(['calibration']);
});

test('calibrate() without an episode and a source says what it needs', async () => {
  await expect(calibrate([], { duration: 20 })).rejects.toThrow(UsageError);
  await expect(calibrate([], { duration: 20, source: 'demo' })).rejects.toThrow(/--contract/);
});
