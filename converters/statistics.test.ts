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

/**
 * By NumPy 2, of the same 15,042 rows:
 *
 * s, rows = 1, []
 * for _ in range(20000):
 *     row = []
 *     for _ in range(4):
 *         s = (1103515245 * s + 12345) % 2**31
 *         row.append(s / 2**31)
 *     if row[3] >= 0.25: rows.append([row[0], row[1] ** 8 * 100 - 20, 1e6 + round(row[2] * 10)])
 * a = np.array(rows)
 * for v in (a.mean(0), a.std(0), a.min(0), a.max(0), *np.quantile(a, [.01, .1, .5, .9, .99], axis=0)): print(v)
 */
const NUMPY = {
  mean: [0.49998125732846516, -8.718349906073076, 1000005.0205424811],
  std: [0.2890721476635054, 21.772579792423453, 2.906839798745297],
  min: [0.0001160716637969017, -20, 1000000],
  max: [0.9999842690303922, 79.79217458586854, 1000010],
  quantiles: [
    [0.01, [0.009972919672727584, -19.999999999999993, 1000000]],
    [0.1, [0.09858759492635727, -19.999999005550634, 1000001]],
    [0.5, [0.5018281228840351, -19.61451442176569, 1000005]],
    [0.9, [0.8979166766628622, 23.731617165972914, 1000009]],
    [0.99, [0.9908498434908688, 72.33032134886078, 1000010]],
  ],
} as const;

test.each([
  ['exactly', undefined, 1e-9],
  // Beyond what is kept whole: a thousandth of the range.
  ['from a histogram', 3 * 500, 1e-3],
])('quantile() gives what NumPy gives for fifteen thousand rows, %s', (_, exactValues, share) => {
  const statistics = new Statistics(3, exactValues === undefined ? {} : { exactValues });
  let state = 1;
  const next = () => {
    state = (Math.imul(1103515245, state) + 12345) & 0x7fffffff;
    return state / 2 ** 31;
  };
  for (let i = 0; i < 20_000; i++) {
    const [a, b, c, mask] = [next(), next(), next(), next()];
    if (mask >= 0.25) statistics.add([a, b ** 8 * 100 - 20, 1e6 + Math.round(c * 10)]);
  }
  const { rows, mean, std, min, max } = statistics.summary();
  expect(rows).toBe(15_042);
  const expectNear = (found: Float64Array, expected: readonly number[], allowed: number) => {
    for (const [i, value] of expected.entries()) {
      const range = NUMPY.max[i]! - NUMPY.min[i]!;
      expect(Math.abs(found[i]! - value) / range).toBeLessThanOrEqual(allowed);
    }
  };
  // A sum near 1e6 has no more digits.
  expectNear(mean, NUMPY.mean, 1e-9);
  expectNear(std, NUMPY.std, 1e-9);
  expectNear(min, NUMPY.min, 1e-15);
  expectNear(max, NUMPY.max, 1e-15);
  for (const [q, expected] of NUMPY.quantiles) expectNear(statistics.quantile(q), expected, share);
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
