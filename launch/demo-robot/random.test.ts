import { expect, test } from 'vitest';
import { Random } from './random.ts';

const draw = (count: number, next: () => number) => Array.from({ length: count }, next);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

test('Random gives the same numbers for the same seed, and others for a neighbouring one', () => {
  const [first, again, other] = ['7/noise', '7/noise', '8/noise'].map((seed) => new Random(seed));
  const numbers = draw(100, () => first!.next());
  expect(draw(100, () => again!.next())).toEqual(numbers);
  expect(new Set([...numbers, ...draw(100, () => other!.next())]).size).toBe(200);
});

test('Random.normal() and exponential() have the moments of their distributions', () => {
  const random = new Random('moments');
  const normal = draw(20_000, () => random.normal());
  expect(mean(normal)).toBeCloseTo(0, 1);
  expect(mean(normal.map((value) => value ** 2))).toBeCloseTo(1, 1);
  const exponential = draw(20_000, () => random.exponential());
  expect(Math.min(...exponential)).toBeGreaterThanOrEqual(0);
  expect(mean(exponential)).toBeCloseTo(1, 1);
  expect(mean(exponential.map((value) => value ** 2))).toBeCloseTo(2, 0);
});
