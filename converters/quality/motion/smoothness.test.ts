import { expect, test } from 'vitest';
import { ldlj, lowPass, sparc } from './smoothness.ts';

/** The profile of the reference implementation's own example. */
const gaussian = Float64Array.from({ length: 200 }, (_, i) => Math.exp(-5 * (-1 + i * 0.01) ** 2));

/** Speed of a reach of 1 m along a minimum-jerk path. */
function reach(secs: number, rateHz: number): Float64Array {
  return Float64Array.from({ length: Math.round(secs * rateHz) }, (_, i) => {
    const t = i / (secs * rateHz);
    return (30 * t ** 2 * (1 - t) ** 2) / secs;
  });
}

test('sparc() and ldlj() give the published values of the reference profile', () => {
  expect(sparc(gaussian, 100)).toBeCloseTo(-1.41403, 5);
  expect(ldlj(gaussian, 100)).toBeCloseTo(-5.81636, 5);
});

test.each([
  [30, -1.4],
  [100, -1.406],
])('sparc() of a minimum-jerk reach at %d Hz is %d', (rateHz, expected) => {
  expect(sparc(reach(2, rateHz), rateHz)).toBeCloseTo(expected, 2);
});

test('sparc() falls with tremor and with sub-movements', () => {
  const smooth = reach(2, 100);
  const tremor = smooth.map((v, i) => v + 0.1 * 0.9375 * Math.sin((2 * Math.PI * 5 * i) / 100));
  const four = Float64Array.from([1, 2, 3, 4].flatMap(() => [...reach(0.5, 100)]));
  expect(sparc(tremor, 100)).toBeLessThan(-1.8);
  expect(sparc(four, 100)).toBeCloseTo(-3.097, 1);
});

test('lowPass() keeps slow motion where and when it was, and halves the power at its cut-off twice', () => {
  const wave = (hz: number) =>
    Float64Array.from({ length: 1000 }, (_, i) => Math.sin((2 * Math.PI * hz * i) / 200));
  const peak = (values: Float64Array) => Math.max(...values.subarray(300, 700));
  const slow = lowPass(wave(1), 200, 10);
  expect(Math.max(...slow.subarray(100, 900).map((v, i) => Math.abs(v - wave(1)[i + 100]!)))).toBeLessThan(
    1e-3,
  );
  expect(peak(lowPass(wave(10), 200, 10))).toBeCloseTo(0.5, 2);
  expect(peak(lowPass(wave(40), 200, 10))).toBeLessThan(1e-4);
});
