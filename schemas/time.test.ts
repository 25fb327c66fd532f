import { describe, expect, it } from 'vitest';
import { formatTime, MonotonicClock, nanosToStamp, secsToNanos, stampToNanos, tickTime } from './time.ts';

describe('time', () => {
  it.each([0n, 1n, 999_999_999n, 1_700_000_000_123_456_789n, -1n, -1_000_000_001n])(
    'nanosToStamp() and stampToNanos() are inverse for %s',
    (nanos) => {
      const stamp = nanosToStamp(nanos);
      expect(stampToNanos(stamp)).toBe(nanos);
      expect(stamp.nanosec).toBeGreaterThanOrEqual(0);
      expect(stamp.nanosec).toBeLessThan(1e9);
    },
  );

  it('formatTime() keeps every nanosecond', () => {
    expect(formatTime(1_700_000_000_123_456_789n)).toBe('2023-11-14T22:13:20.123456789Z');
  });

  it('tickTime() adds no error up over an hour of thirtieths', () => {
    expect(tickTime(5n, 30 * 3600, 30)).toBe(5n + secsToNanos(3600));
    expect(tickTime(0n, 1, 30)).toBe(33_333_333n);
    expect(tickTime(0n, 1, 29.97)).toBe(33_366_700n);
  });

  it('MonotonicClock goes on when the system clock is set, and tells the step', () => {
    let system = 1_700_000_000_000_000_000n;
    let monotonic = 500n;
    const clock = new MonotonicClock({ system: () => system, monotonic: () => monotonic });
    system += 10n;
    monotonic += 10n;
    expect(clock.stepNanos()).toBe(0n);
    system -= secsToNanos(3600);
    monotonic += 10n;
    expect(clock.now()).toBe(1_700_000_000_000_000_020n);
    expect(clock.stepNanos()).toBe(-secsToNanos(3600) - 10n);
  });

  it('MonotonicClock never steps backwards and starts at the system clock', () => {
    const clock = new MonotonicClock();
    let last = clock.now();
    expect(Math.abs(Number(last / 1_000_000n) - Date.now())).toBeLessThan(1000);
    for (let i = 0; i < 10_000; i++) {
      const now = clock.now();
      expect(now >= last).toBe(true);
      last = now;
    }
  });
});
