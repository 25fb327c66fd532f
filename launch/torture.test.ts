import { expect, test } from 'vitest';
import { seededRandom } from '../schemas/fixtures/episodes.ts';
import { killOnce } from './torture.ts';

// The command `node launch/torture.ts --kills 1000` does the same for longer.
test('a take that is killed at any instant is repaired, and what it misses is in its ledger', async () => {
  const random = seededRandom(7);
  for (let round = 0; round < 3; round++) {
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => killOnce(random, 0.4)));
    expect(outcomes.flatMap(({ faults }) => faults)).toEqual([]);
  }
});
