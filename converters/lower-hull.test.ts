import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LowerHull } from './lower-hull.ts';

const points = fc.array(fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: -1000, max: 1000 })), {
  minLength: 1,
  maxLength: 40,
});

test('LowerHull.line() lies below all points and touches two, on both sides of the mean', () => {
  fc.assert(
    fc.property(points, (all) => {
      const hull = new LowerHull();
      for (const [x, y] of all) hull.add(x, y);
      const { intercept, slope } = hull.line();
      const above = all.map(([x, y]) => y - (intercept + slope * x));
      const mean = all.reduce((sum, [x]) => sum + x, 0) / all.length;
      expect(Math.min(...above)).toBeGreaterThan(-1e-6);
      const touched = all.filter((_, i) => above[i]! < 1e-6).map(([x]) => x);
      const single = new Set(all.map(([x]) => x)).size === 1;
      expect(Math.min(...touched)).toBeLessThanOrEqual(mean);
      if (!single) expect(Math.max(...touched)).toBeGreaterThanOrEqual(mean);
    }),
  );
});

test('LowerHull gives the same line whatever the order, in one part or merged', () => {
  fc.assert(
    fc.property(points, points, (a, b) => {
      const [whole, left, right] = [new LowerHull(), new LowerHull(), new LowerHull()];
      for (const [x, y] of [...a, ...b].reverse()) whole.add(x, y);
      for (const [x, y] of a) left.add(x, y);
      for (const [x, y] of b) right.add(x, y);
      left.merge(right);
      expect(left.line()).toEqual(whole.line());
      expect(left.span()).toBe(whole.span());
    }),
  );
});

/** Messages at 30 Hz for some seconds: x, and how late they come by a clock that drifts, with bursts at the end. */
function delays(secs: number, { ppm, bursts }: { readonly ppm: number; readonly bursts: boolean }) {
  let state = 1;
  const random = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  return Array.from({ length: secs * 30 }, (_, i): [number, number] => {
    const x = i / 30;
    const queue = bursts && x > secs * 0.8 ? 0.08 * random() : 0;
    return [x, 0.25 + x * ppm * 1e-6 - 0.005 * Math.log(random()) + queue];
  });
}

test.each([
  [60, 50, false],
  [60, 50, true],
  [600, -120, true],
])('LowerHull.line() finds in %i s a drift of %i ppm within 3 ppm, bursts: %s', (secs, ppm, bursts) => {
  const all = delays(secs, { ppm, bursts });
  const hull = new LowerHull();
  for (const [x, y] of all) hull.add(x, y);
  const { intercept, slope } = hull.line();
  expect(Math.abs(slope * 1e6 - ppm)).toBeLessThan(3);
  expect(Math.abs(intercept - 0.25)).toBeLessThan(1e-3);
});
