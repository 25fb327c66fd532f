import { expect, test } from 'vitest';
import { seededRandom } from '../schemas/fixtures/episodes.ts';
import { killOnce } from './torture.ts';

// The command `node launch/torture.ts --kills 1000` does the same for longer.
test('fifty takes killed at any instant are repaired, and what they miss is in their ledgers', async () => {
  const random = seededRandom(7);
  for (let round = 0; round < 10; round++) {
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => killOnce(random, 0.4)));
    expect(outcomes.flatMap(({ faults }) => faults)).toEqual([]);
  }
}, 120_000);
