import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tickTime } from '../schemas/time.ts';
import { ticksUpTo } from './tick-range.ts';

test('ticksUpTo() counts the ticks at or before an instant at any rate', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 10n ** 14n }),
      fc.constantFrom(0.001, 1, 7, 29.97, 30, 50, 999.999),
      fc.constantFrom(-1n, 0n, 1n),
      (nanos, rateHz, off) => {
        const origin = 1_700_000_000_000_000_000n;
        // Also instants next to a tick, where rounding would show.
        const near = tickTime(origin, Math.floor(Number(nanos) * (rateHz / 1e9)), rateHz) + off;
        for (const time of [origin + nanos, near].filter((each) => each >= origin)) {
          const count = ticksUpTo(time, { origin, rateHz });
          expect(tickTime(origin, count - 1, rateHz)).toBeLessThanOrEqual(time);
          expect(tickTime(origin, count, rateHz)).toBeGreaterThan(time);
        }
      },
    ),
  );
});
