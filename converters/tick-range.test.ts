import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tickTime } from '../schemas/time.ts';
import { ticksUpTo, ticksWithin } from './tick-range.ts';

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

test('ticksWithin() finds the ticks of a stretch, half-open', () => {
  const range = { origin: 1000n, rateHz: 10, count: 5 }; // 1000, 1000 + 0.1 s, …
  const at = (millis: number) => 1000n + BigInt(millis) * 1_000_000n;
  const within = (start: number, end: number) =>
    ticksWithin(range, { startTime: at(start), endTime: at(end) });
  expect(within(0, 400)).toEqual({ from: 0, to: 4 });
  expect(within(-50, 401)).toEqual({ from: 0, to: 5 });
  expect(within(100, 101)).toEqual({ from: 1, to: 2 });
  expect(within(101, 200)).toEqual({ from: 2, to: 2 });
  expect(within(-900, -100)).toEqual({ from: 0, to: 0 });
  expect(within(450, 9000)).toEqual({ from: 5, to: 5 });
});
