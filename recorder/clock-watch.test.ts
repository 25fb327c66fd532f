import { describe, expect, it } from 'vitest';
import { secsToNanos } from '../schemas/time.ts';
import { ClockWatch } from './clock-watch.ts';
import { FollowedClock } from './followed-clock.ts';

describe('ClockWatch', () => {
  it('tells each step once and their sum, and nothing of what two readings differ by', () => {
    let away = 0n;
    const watch = new ClockWatch({ now: () => 0n, stepNanos: () => away });
    expect(watch.look()).toBeUndefined();
    away = secsToNanos(0.005);
    expect(watch.look()).toBeUndefined();
    away = secsToNanos(-3600);
    expect(watch.look()).toBe(secsToNanos(-3600));
    expect(watch.look()).toBeUndefined();
    away = secsToNanos(-3500);
    expect(watch.look()).toBe(secsToNanos(100));
    expect(watch.totalNanos).toBe(secsToNanos(-3500));
  });

  it('is silent about a clock that is tied to none', () => {
    expect(new ClockWatch({ now: () => 0n }).look()).toBeUndefined();
  });

  it('hears of the reset of a simulation', () => {
    const clock = new FollowedClock(secsToNanos(50));
    const watch = new ClockWatch(clock);
    clock.follow(secsToNanos(60));
    clock.follow(secsToNanos(59.5)); // overtaken
    expect(clock.now()).toBe(secsToNanos(60));
    expect(watch.look()).toBeUndefined();
    clock.follow(secsToNanos(2));
    expect(clock.now()).toBe(secsToNanos(60));
    clock.follow(secsToNanos(3));
    expect(clock.now()).toBe(secsToNanos(61));
    expect(watch.look()).toBe(secsToNanos(-58));
  });
});
