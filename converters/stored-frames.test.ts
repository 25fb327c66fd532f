import { expect, test } from 'vitest';
import type { FrameRange } from './stored-elements.ts';
import { frameFaults, storedValues } from './stored-frames.ts';

const SHAPE = [64, 64];
const SIZE = 64 * 64;

/** Maps whose rows are all not measured but for one number, at a place of each row's own. */
function rowsOf(numbers: readonly (number | undefined)[]) {
  const read = async ({ from, to }: FrameRange) => {
    const rows = Float32Array.from({ length: (to - from) * SIZE }, () => Number.NaN);
    for (let row = from; row < to; row++) {
      const number = numbers[row];
      if (number !== undefined) rows[(row - from) * SIZE + (((row + 1) * 997) % SIZE)] = number;
    }
    return rows;
  };
  return { rows: numbers.length, read };
}

test('storedValues() gives of each map a number that is not empty, if there is one', async () => {
  expect(await storedValues(rowsOf([7, undefined, 0, 8]), SHAPE)).toEqual([7, Number.NaN, Number.NaN, 8]);
});

test('frameFaults() finds a map that is marked invalid and holds a value', async () => {
  const values = await storedValues(rowsOf([7, undefined, 9]), SHAPE);
  const feature = { name: 'depth', valid: [1, 0, 0], age: [0, Number.NaN, Number.NaN], values };
  expect([...frameFaults({ tickTimes: [0n, 50n, 100n], features: [feature] })]).toEqual([
    { row: 2, text: '"depth" is marked invalid and holds a value' },
  ]);
});

test('storedValues() gives all numbers of what is no map', async () => {
  const read = async ({ from, to }: FrameRange) => [1, 2, 3, 4, 5, 6].slice(2 * from, 2 * to);
  expect(await storedValues({ rows: 3, read }, [2])).toEqual([1, 2, 3, 4, 5, 6]);
});
