import { expect, test } from 'vitest';
import type { EntryOf, Label } from '../schemas/labels.ts';
import { NANOS_PER_SEC } from '../schemas/time.ts';
import { testContract } from './episode.fixture.ts';
import { keptRanges } from './kept-ranges.ts';

type Span = readonly [start: number, end: number];

const range = ([start, end]: Span) => ({
  startTime: BigInt(start) * NANOS_PER_SEC,
  endTime: BigInt(end) * NANOS_PER_SEC,
});

function entry<K extends Label['kind']>(label: Extract<Label, { kind: K }>): EntryOf<K> {
  return { id: 'e', author: 'r1', time: '2026-11-22T09:00:00Z', label } as EntryOf<K>;
}

test.each<[string, { trim?: Span[]; marks?: [string, ...Span][]; pauses?: Span[] }, string, Span[]]>([
  ['all of it', {}, '', [[0, 100]]],
  [
    'what a label keeps',
    {
      trim: [
        [10, 20],
        [30, 40],
      ],
    },
    '',
    [
      [10, 20],
      [30, 40],
    ],
  ],
  [
    'no more than there is',
    {
      trim: [
        [-5, 20],
        [90, 200],
      ],
    },
    '',
    [
      [0, 20],
      [90, 100],
    ],
  ],
  ['what the contract leaves of both ends', {}, 'trimStartSecs: 5, trimEndSecs: 10', [[5, 90]]],
  ['marked spans unless they are to be left out', { marks: [['grasp', 20, 30]] }, '', [[0, 100]]],
  [
    'no marked spans where the contract says so',
    {
      marks: [
        ['interruption', 20, 30],
        ['grasp', 50, 60],
      ],
    },
    'leaveOut: [interruption]',
    [
      [0, 20],
      [30, 100],
    ],
  ],
  [
    'what neither two marks nor the label takes away',
    {
      trim: [[10, 50]],
      marks: [
        ['interruption', 5, 15],
        ['mistake', 20, 60],
      ],
    },
    'leaveOut: [interruption, mistake]',
    [[15, 20]],
  ],
  ['both sides of an instant in one piece', { marks: [['slip', 20, 20]] }, 'leaveOut: [slip]', [[0, 100]]],
  ['nothing', { marks: [['interruption', 0, 100]] }, 'leaveOut: [interruption]', []],
  [
    'no pauses',
    {
      pauses: [
        [20, 30],
        [60, 100],
      ],
    },
    '',
    [
      [0, 20],
      [30, 60],
    ],
  ],
  ['pauses where the contract says so', { pauses: [[20, 30]] }, 'pauses: keep', [[0, 100]]],
  ['nothing of a recording that was paused all the time', { pauses: [[0, 100]] }, '', []],
  [
    'what lies between pauses and marks that overlap',
    { pauses: [[10, 30]], marks: [['interruption', 20, 40]] },
    'leaveOut: [interruption]',
    [
      [0, 10],
      [40, 100],
    ],
  ],
])('keptRanges() keeps %s', (_, { trim, marks = [], pauses = [] }, samples, expected) => {
  const contract = testContract(`
streams: {}
features: {}
samples: { tickRateHz: 10, ${samples} }`);
  const labels = {
    trim: trim && entry<'trim'>({ kind: 'trim', ranges: trim.map(range) }),
    marks: marks.map(([name, ...span]) => entry<'mark'>({ kind: 'mark', name, ...range(span) })),
    pauses: pauses.map(range),
  };
  expect(keptRanges(range([0, 100]), labels, contract.samples)).toEqual(expected.map(range));
});
