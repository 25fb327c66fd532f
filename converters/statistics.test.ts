import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Statistics } from './statistics.ts';

test('add() and summary() give what NumPy gives for the same rows', () => {
  const statistics = new Statistics(2);
  // np.array([[1, -4], [2, 0], [4, 8], [9, 8]]): mean, population std, quantile(0.1) per column
  for (const row of [
    [1, -4],
    [2, 0],
    [4, 8],
    [9, 8],
  ])
    statistics.add(row);
  const { rows, min, max, mean, std } = statistics.summary();
  expect(rows).toBe(4);
  expect([...min]).toEqual([1, -4]);
  expect([...max]).toEqual([9, 8]);
  expect([...mean]).toEqual([4, 3]);
  expect(std[0]).toBeCloseTo(3.082207001484488, 12);
  expect(std[1]).toBeCloseTo(5.196152422706632, 12);
  expect(statistics.quantile(0.1)[0]).toBeCloseTo(1.3, 12);
  expect(statistics.quantile(0.1)[1]).toBeCloseTo(-2.8, 12);
  expect([...statistics.quantile(0.5)]).toEqual([3, 4]);
  expect([...statistics.quantile(1)]).toEqual([9, 8]);
});

test('add() takes several rows at once and refuses a part of a row', () => {
  const [together, apart] = [new Statistics(3), new Statistics(3)];
  together.add(Uint8Array.of(1, 2, 3, 7, 8, 9));
  apart.add([1, 2, 3]);
  apart.add([7, 8, 9]);
  expect(together.summary()).toEqual(apart.summary());
  expect(() => together.add([1, 2])).toThrow(RangeError);
});

test('summary() is NaN for an element that never had a finite number, and leaves NaN out of the others', () => {
  const statistics = new Statistics(2);
  statistics.add([Number.NaN, 1]);
  statistics.add([Number.NaN, Number.NaN]);
  statistics.add([Number.POSITIVE_INFINITY, 3]);
  const { rows, mean, min, max, std } = statistics.summary();
  expect(rows).toBe(3);
  for (const each of [mean, min, max, std]) expect(each[0]).toBeNaN();
  expect(statistics.quantile(0.5)[0]).toBeNaN();
  expect([mean[1], min[1], max[1], std[1]]).toEqual([2, 1, 3, 1]);
});

test('add() keeps the deviation of small differences on a large offset', () => {
  const statistics = new Statistics(1);
  for (let i = 0; i < 10_000; i++) statistics.add([1e9 + (i % 2)]);
  expect(statistics.summary().std[0]).toBeCloseTo(0.5, 6);
});

const QUANTILES = [0, 0.01, 0.1, 0.5, 0.9, 0.99, 1];

test('quantile() beyond the exact size stays within 1/2048 of the range, whatever the order of values', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.double({ min: -1, max: 1, noNaN: true }),
          fc.double({ min: -1e6, max: 1e6, noNaN: true }),
          fc.constantFrom(0, 5, 1e9 + 0.25),
        ),
        { minLength: 1, maxLength: 400 },
      ),
      (values) => {
        const [exact, sketched] = [new Statistics(1), new Statistics(1, { exactValues: 8 })];
        for (const value of values) {
          exact.add([value]);
          sketched.add([value]);
        }
        const range = Math.max(...values) - Math.min(...values);
        for (const q of QUANTILES) {
          const distance = Math.abs(sketched.quantile(q)[0]! - exact.quantile(q)[0]!);
          expect(distance).toBeLessThanOrEqual(range / 2048);
        }
      },
    ),
  );
});
