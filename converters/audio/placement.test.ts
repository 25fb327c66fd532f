import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Chunk, placeChunks } from './placement.ts';

const RATE = 1000; // a sample is a millisecond
const MILLI = 1e6;

/** Chunks of 10 samples, stamped at these milliseconds. */
function chunks(...stamps: readonly (number | undefined)[]): Chunk[] {
  return stamps.map((millis) => ({ nanos: millis === undefined ? undefined : millis * MILLI, samples: 10 }));
}

function placed(all: readonly Chunk[]) {
  return placeChunks(all, RATE).chunks.map(({ at, skipped }) => (skipped === 0 ? at : [at, skipped]));
}

test.each<[string, Chunk[], (number | number[])[]]>([
  ['chunks that follow each other', chunks(0, 10, 20), [0, 10, 20]],
  ['a first chunk before the origin', chunks(-7, 3, 13), [-7, 3, 13]],
  ['late chunks where they were recorded', chunks(0, 14, 21, 33, 40), [0, 10, 20, 30, 40]],
  [
    'chunks that came bunched after a hiccup',
    chunks(0, 10, 95, 95, 95, 95, 95, 95, 95, 95),
    [0, 10, 20, 30, 40, 50, 60, 70, 80, 90],
  ],
  ['a gap where one was lost', chunks(0, 10, 30, 40), [0, 10, 30, 40]],
  ['a gap behind a late one', chunks(0, 14, 31, 40), [0, 10, 30, 40]],
  ['a gap behind late ones that make it look smaller', chunks(0, 13, 26, 40, 50), [0, 10, 20, 40, 50]],
  [
    'late chunks alone between lost ones',
    chunks(0, 10, 36, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140),
    [0, 10, 30, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140],
  ],
  [
    'a gap of any length where the stamps agree on it',
    chunks(0, 10, 34, 44, 54, 64, 74, 84, 94, 104, 114),
    [0, 10, 34, 44, 54, 64, 74, 84, 94, 104, 114],
  ],
  ['a chunk without an instant behind the one before', chunks(0, undefined, 20), [0, 10, 20]],
  ['the last chunks without an instant', chunks(5, undefined, undefined), [5, 15, 25]],
  ['chunks without any instant', chunks(undefined, undefined), [0, 10]],
  ['chunks after the clock was set back', chunks(5000, 5010, 0, 10), [5000, 5010, [10, 10], [20, 10]]],
])('placeChunks() places %s', (_, all, expected) => {
  expect(placed(all)).toEqual(expected);
});

test('placeChunks() finds a loss behind a start that was late', () => {
  const late = chunks(7, 17, ...Array.from({ length: 20 }, (_, i) => 30 + 10 * i));
  expect(placed(late)).toEqual([7, 17, ...Array.from({ length: 20 }, (_, i) => 30 + 10 * i)]);
});

test('placeChunks() takes no account of messages without samples', () => {
  const empty = { nanos: -500 * MILLI, samples: 0 };
  const [first, second] = chunks(0, 20);
  const [, one, , two] = placeChunks([empty, first!, { ...empty, nanos: 0 }, second!], RATE).chunks;
  expect([one!.at, two!.at]).toEqual([0, 20]);
});

test('placeChunks() says how far the stamps drifted, and moves no sample for it', () => {
  // The sound card is 0.02 % slow: a chunk lasts 10.002 ms.
  const all = Array.from({ length: 1001 }, (_, i) => ({ nanos: i * 10.002 * MILLI, samples: 10 }));
  const { chunks: found, driftSecs } = placeChunks(all, RATE);
  expect(found.map(({ at }) => at)).toEqual(all.map((_, i) => i * 10));
  expect(driftSecs).toBeCloseTo(0.002, 6);
});

test('placeChunks() finds every lost chunk behind any jitter that ends', () => {
  const lateness = fc.integer({ min: 0, max: 40 });
  const sent = fc.array(fc.tuple(fc.boolean(), lateness), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(sent, (all) => {
      // Recorded without a break; some are lost, the others late by up to four chunks. Each is followed by a prompt one.
      const kept = [
        ...all.flatMap(([isLost, late], i) => (isLost ? [] : [{ at: i * 20, late }])),
        { at: all.length * 20, late: 0 },
      ].flatMap(({ at, late }) => [
        { at, late },
        { at: at + 10, late: 0 },
      ]);
      const found = placeChunks(
        kept.map(({ at, late }) => ({ nanos: (at + late) * MILLI, samples: 10 })),
        RATE,
      );
      expect(found.chunks.map(({ at }) => at)).toEqual(kept.map(({ at }) => at));
      expect(found.chunks.every(({ skipped }) => skipped === 0)).toBe(true);
    }),
  );
});
