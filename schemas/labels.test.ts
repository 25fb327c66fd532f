import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { appendLabel, currentLabel, labelsFileOf, readLabels } from './labels.ts';

let directory: string;
let episode: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kinescribe-'));
  episode = join(directory, 'a-0001.mcap');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const entry = (value: 'success' | 'failure') => ({
  author: 'op-1',
  time: '2026-01-01T00:00:00.000Z',
  label: { kind: 'outcome', value } as const,
});

describe('labels', () => {
  it('readLabels() gives all statements in order; the last of a kind holds', async () => {
    await appendLabel(episode, entry('failure'));
    await appendLabel(episode, entry('success'));
    const entries = await readLabels(episode);
    expect(entries).toEqual([entry('failure'), entry('success')]);
    expect(currentLabel(entries, 'outcome')).toBe('success');
    expect(currentLabel(entries, 'quality')).toBeUndefined();
  });

  it('readLabels() is empty for an episode nobody spoke of', async () => {
    expect(await readLabels(episode)).toEqual([]);
  });

  it('readLabels() leaves out a line that a crash cut off', async () => {
    await appendLabel(episode, entry('success'));
    await appendFile(labelsFileOf(episode), '{"author":"op-1","ti');
    expect(await readLabels(episode)).toEqual([entry('success')]);
  });

  it('two writers at once lose nothing of each other', async () => {
    await Promise.all(Array.from({ length: 20 }, () => appendLabel(episode, entry('success'))));
    expect(await readLabels(episode)).toHaveLength(20);
  });
});
