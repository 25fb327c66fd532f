import { describe, expect, it } from 'vitest';
import { spearman } from './robust.ts';

describe('spearman()', () => {
  it.each([
    [[1, 2, 3, 4], [10, 100, 1000, 10_000], 1],
    [[1, 2, 3, 4], [4, 3, 2, 1], -1],
    // Ties share the mean rank: scipy.stats.spearmanr gives 0.9486833.
    [[1, 2, 2, 4], [1, 2, 3, 4], 0.9486833],
  ])('of %j and %j is %d', (a, b, expected) => {
    expect(spearman(a, b)).toBeCloseTo(expected, 6);
  });
});
