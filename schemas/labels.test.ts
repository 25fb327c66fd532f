import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  appendLabel,
  currentLabel,
  currentLabels,
  type Label,
  type LabelEntry,
  labelsFileOf,
  readLabels,
  readLabelsFile,
} from './labels.ts';

let directory: string;
let episode: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kinescribe-'));
  episode = join(directory, 'a-0001.mcap');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const outcome = (value: 'success' | 'failure'): Label => ({ kind: 'outcome', value });
const mark = (name: string, startTime: bigint, endTime = startTime): Label => ({
  kind: 'mark',
  name,
  startTime,
  endTime,
});
const undo = (entry: string): Label => ({ kind: 'undo', entry });
const REMOVAL: Label = { kind: 'removal' };

/** Entries one second apart, `a` first. */
const history = (rows: readonly (readonly [id: string, label: Label, replaces?: string])[]): LabelEntry[] =>
  rows.map(([id, label, replaces], i) => ({
    id,
    author: 'op-1',
    time: new Date(i * 1000).toISOString(),
    label,
    ...(replaces && { replaces }),
  }));
const said = (label: Label) => ({ author: 'op-1', time: '2026-01-01T00:00:00.000Z', label });

describe('the labels file', () => {
  it('readLabels() gives back every kind of statement as it was said', async () => {
    const labels: Label[] = [
      outcome('failure'),
      { kind: 'quality', value: 3 },
      { kind: 'note', value: 'slipped\n"twice"' },
      { kind: 'decision', value: 'discard' },
      {
        kind: 'trim',
        ranges: [
          { startTime: 1n, endTime: 5n },
          { startTime: 1_700_000_000_000_000_001n, endTime: 1_700_000_000_000_000_002n },
        ],
      },
      mark('grasp', 3n, 4n),
      { kind: 'waiver', finding: 'V03:/camera', reason: 'lens cap by intention' },
      undo('x'),
    ];
    const written = [];
    for (const label of labels) written.push(await appendLabel(episode, said(label)));
    written.push(await appendLabel(episode, { ...said(REMOVAL), replaces: written[5]!.id }));
    expect(await readLabels(episode)).toEqual(written);
    expect(new Set(written.map(({ id }) => id)).size).toBe(written.length);
  });

  it('appendLabel() refuses what is no statement and writes nothing of it', async () => {
    const wrong: Label[] = [
      { kind: 'quality', value: 6 },
      mark('grasp', 5n, 4n),
      { kind: 'trim', ranges: [] },
      { kind: 'trim', ranges: [{ startTime: 4n, endTime: 4n }] },
      {
        kind: 'trim',
        ranges: [
          { startTime: 4n, endTime: 9n },
          { startTime: 9n, endTime: 12n },
        ],
      },
    ];
    for (const label of wrong) await expect(appendLabel(episode, said(label))).rejects.toThrow();
    expect(await readLabels(episode)).toEqual([]);
  });

  it('appendLabel() after a line that a crash cut off loses neither', async () => {
    await appendLabel(episode, said(outcome('success')));
    await appendFile(labelsFileOf(episode), '{"author":"op-1","ti');
    expect(await readLabels(episode)).toHaveLength(1);
    await appendLabel(episode, said(outcome('failure')));
    const { entries, unreadableLines } = await readLabelsFile(episode);
    expect(entries.map(({ label }) => label)).toEqual([outcome('success'), outcome('failure')]);
    expect(unreadableLines).toBe(1);
  });

  it('readLabels() takes every cut of a file for what is whole in it', async () => {
    for (const value of ['success', 'failure'] as const) await appendLabel(episode, said(outcome(value)));
    const whole = await readFile(labelsFileOf(episode));
    const firstLine = whole.indexOf('\n');
    for (let bytes = 0; bytes <= whole.length; bytes++) {
      await writeFile(labelsFileOf(episode), whole.subarray(0, bytes));
      const complete = Number(bytes >= firstLine) + Number(bytes >= whole.length - 1);
      expect(await readLabels(episode), `cut at ${bytes}`).toHaveLength(complete);
    }
  });

  it('readLabels() understands entries of the first version, which had no ids', async () => {
    const line = JSON.stringify(said(outcome('success')));
    await writeFile(
      labelsFileOf(episode),
      `${line}\n${JSON.stringify(said({ kind: 'note', value: 'x' }))}\n`,
    );
    const [first, second] = await readLabels(episode);
    expect(first).toEqual({ ...said(outcome('success')), id: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(second!.id).not.toBe(first!.id);
    expect((await readLabels(episode))[0]!.id).toBe(first!.id);
  });

  it('readLabelsFile() leaves what a later version wrote in the file and counts it', async () => {
    await writeFile(labelsFileOf(episode), '{"id":"1","kind":"hologram"}\n[1]\n7\nnull\n');
    expect(await readLabelsFile(episode)).toEqual({ entries: [], unreadableLines: 4 });
    await appendLabel(episode, said(outcome('success')));
    expect(await readFile(labelsFileOf(episode), 'utf8')).toContain('hologram');
  });

  it('two writers at once lose nothing of each other', async () => {
    await Promise.all(Array.from({ length: 20 }, () => appendLabel(episode, said(outcome('success')))));
    expect(await readLabels(episode)).toHaveLength(20);
  });

  it('two copies put behind each other in either order say the same', async () => {
    const [a, b] = [join(directory, 'a.mcap'), join(directory, 'b.mcap')];
    const common = { id: 'm', ...said(mark('grasp', 1n, 2n)) };
    for (const file of [a, b]) await appendLabel(file, common);
    await appendLabel(a, { ...said(mark('lift', 1n, 9n)), replaces: 'm', time: '2026-01-01T00:00:02Z' });
    await appendLabel(b, { ...said(mark('grasp', 0n, 2n)), replaces: 'm', time: '2026-01-01T00:00:01Z' });
    const texts = await Promise.all([a, b].map((file) => readFile(labelsFileOf(file), 'utf8')));
    for (const text of [texts.join(''), texts.toReversed().join('')]) {
      await writeFile(labelsFileOf(episode), text);
      const entries = await readLabels(episode);
      expect(entries).toHaveLength(3);
      expect(currentLabels(entries).marks.map(({ label }) => label)).toEqual([mark('lift', 1n, 9n)]);
    }
  });
});

describe('currentLabels()', () => {
  const rows: readonly [
    what: string,
    entries: Parameters<typeof history>[0],
    outcome: 'success' | 'failure' | undefined,
  ][] = [
    ['nothing was said', [], undefined],
    [
      'the last of a kind',
      [
        ['a', outcome('failure')],
        ['b', outcome('success')],
      ],
      'success',
    ],
    [
      'an undo brings back what was before',
      [
        ['a', outcome('failure')],
        ['b', outcome('success'), 'a'],
        ['c', undo('b')],
      ],
      'failure',
    ],
    [
      'a redo',
      [
        ['a', outcome('failure')],
        ['b', outcome('success'), 'a'],
        ['c', undo('b')],
        ['d', undo('c')],
      ],
      'success',
    ],
    [
      'an undo of the only statement',
      [
        ['a', outcome('failure')],
        ['b', undo('a')],
      ],
      undefined,
    ],
    [
      'a removal leaves nothing, not what was before',
      [
        ['a', outcome('failure')],
        ['b', outcome('success'), 'a'],
        ['c', REMOVAL, 'b'],
      ],
      undefined,
    ],
    [
      'a removal that was undone',
      [
        ['a', outcome('failure')],
        ['b', REMOVAL, 'a'],
        ['c', undo('b')],
      ],
      'failure',
    ],
    [
      'of two that replace the same, the last',
      [
        ['a', outcome('failure')],
        ['b', outcome('success'), 'a'],
        ['c', outcome('failure'), 'a'],
      ],
      'failure',
    ],
    [
      'the other of two, once the last is undone',
      [
        ['a', outcome('failure')],
        ['b', outcome('success'), 'a'],
        ['c', outcome('failure'), 'a'],
        ['d', undo('c')],
      ],
      'success',
    ],
    [
      'an edit and a removal of the same leave the edit',
      [
        ['a', outcome('failure')],
        ['b', outcome('success'), 'a'],
        ['c', REMOVAL, 'a'],
      ],
      'success',
    ],
    [
      'an undo of what nobody knows',
      [
        ['a', outcome('failure')],
        ['b', undo('z')],
      ],
      'failure',
    ],
    [
      'a circle of undos',
      [
        ['a', undo('b')],
        ['b', undo('a')],
        ['c', outcome('success')],
      ],
      'success',
    ],
    [
      'a circle of replacements',
      [
        ['a', mark('x', 1n), 'b'],
        ['b', mark('y', 1n), 'a'],
        ['c', outcome('success')],
      ],
      'success',
    ],
  ];
  it.each(rows)('takes %s', (_, entries, expected) => {
    expect(currentLabels(history(entries)).outcome?.label.value).toBe(expected);
    expect(currentLabel(history(entries), 'outcome')).toBe(expected);
  });

  it('holds all marks by start time, an edited one once, at its last place', () => {
    const entries = history([
      ['a', mark('mistake', 50n)],
      ['b', mark('grasp', 10n, 20n)],
      ['c', mark('grasp', 12n, 20n), 'b'],
      ['d', mark('grasp', 12n, 22n), 'c'],
      ['e', mark('grasp', 11n, 20n), 'b'],
      ['f', mark('lift', 30n, 40n)],
      ['g', REMOVAL, 'f'],
    ]);
    expect(currentLabels(entries).marks.map(({ id }) => id)).toEqual(['e', 'a']);
  });

  it('holds one waiver per finding, and the kept ranges', () => {
    const ranges = [{ startTime: 1n, endTime: 2n }];
    const waiver = (finding: string, reason: string): Label => ({ kind: 'waiver', finding, reason });
    const { waivers, trim, decision } = currentLabels(
      history([
        ['a', waiver('f1', 'no')],
        ['b', waiver('f2', 'because')],
        ['c', waiver('f1', 'the cap was on')],
        ['d', { kind: 'trim', ranges }],
        ['e', { kind: 'decision', value: 'discard' }],
      ]),
    );
    expect(waivers.map(({ id }) => id).sort()).toEqual(['b', 'c']);
    expect(trim?.label.ranges).toEqual(ranges);
    expect(decision?.label.value).toBe('discard');
  });
});
