import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Received, StepFinder } from './clock-steps.ts';

const MILLI = 1_000_000n;
const EPOCH = 1_700_000_000_000_000_000n;

/** One message, milliseconds: when it was measured, and when it was received. */
interface Sent {
  readonly measured: number;
  readonly received: number;
}

/** A stream in order, of which some messages are lost and some stretches are held up and then come at once. */
const streams = fc
  .record({
    periodMillis: fc.constantFrom(2, 10, 20, 33),
    latencyMillis: fc.integer({ min: 0, max: 300 }),
    each: fc.array(
      fc.record({
        lost: fc.nat({ max: 19 }).map((n) => n === 0),
        jitter: fc.integer({ min: 0, max: 3 }),
        late: fc.integer({ min: 0, max: 6 }),
      }),
      { minLength: 400, maxLength: 700 },
    ),
    hold: fc.record({ from: fc.integer({ min: 20, max: 300 }), messages: fc.nat({ max: 60 }) }),
  })
  .map(({ periodMillis, latencyMillis, each, hold }) => {
    let last = 0;
    const until = hold.from + hold.messages;
    return each.flatMap(({ lost, jitter, late }, i): Sent[] => {
      const measured = i * periodMillis + jitter / 3;
      const through = i >= hold.from && i < until ? until * periodMillis : measured;
      if (lost) return [];
      last = Math.max(last, through + latencyMillis + late);
      return [{ measured, received: last }];
    });
  });

const nanos = (millis: number) => EPOCH + BigInt(Math.round(millis * 1e6));

function find(sent: readonly Received[]) {
  const finder = new StepFinder(sent[0]!);
  for (const each of sent) finder.add(each);
  return { ...finder.finish(), isSteady: finder.isSteady };
}

const honest = ({ measured, received }: Sent): Received => ({
  time: nanos(measured),
  logTime: nanos(received),
});

test('StepFinder finds no step where messages are lost, jitter, or are held up and come at once', () => {
  fc.assert(
    fc.property(streams, (sent) => {
      const { stepped, isSteady } = find(sent.map(honest));
      expect([...stepped]).toEqual([]);
      expect(isSteady).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test('StepFinder finds a step where it begins and ends, and how large it is', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(2, 10, 20, 33),
      fc.integer({ min: 10, max: 150 }),
      fc.integer({ min: 20, max: 140 }),
      fc.oneof(fc.integer({ min: 120, max: 5000 }), fc.integer({ min: -5000, max: -120 })),
      fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 400, maxLength: 400 }),
      (periodMillis, from, count, stepMillis, latency) => {
        const isOff = (i: number) => i >= from && i < from + count;
        const sent = latency.map((late, i): Received => {
          const measured = i * periodMillis;
          const stamp = measured + (isOff(i) ? stepMillis : 0);
          return { time: nanos(stamp), logTime: nanos(Math.max(measured + 5, measured + late)) };
        });
        const { stepped } = find(sent);
        const [step, ...more] = [...stepped];
        expect(more).toEqual([]);
        expect(step!.first).toEqual(sent[from]);
        expect(step!.last).toEqual(sent[from + count - 1]);
        expect(step!.messages).toBe(count);
        expect(Math.abs(step!.levelNanos / 1e6 + stepMillis)).toBeLessThanOrEqual(5);
      },
    ),
    { numRuns: 200 },
  );
});

test('StepFinder trusts the clock that most messages were stamped by', () => {
  const sent = Array.from({ length: 300 }, (_, i): Received => {
    const logTime = nanos(i * 20 + 1);
    return { time: nanos(i * 20 + (i < 100 ? 0 : 2000)), logTime };
  });
  const [step] = [...find(sent).stepped];
  expect([step!.first, step!.last]).toEqual([sent[0], sent[99]]);
});

test('StepFinder follows a clock that drifts by 20 ms a minute', () => {
  const sent = Array.from({ length: 30_000 }, (_, i): Received => {
    const measured = i * 20;
    return { time: nanos(measured), logTime: nanos(measured * (1 + 20 / 60_000) + 1) };
  });
  const { stepped, segments } = find(sent);
  expect(segments).toHaveLength(1);
  expect(stepped.size).toBe(0);
});

test('StepFinder gives up on stamps that jump all the time', () => {
  const sent = Array.from({ length: 1000 }, (_, i): Received => {
    return { time: nanos(i * 20 + (i % 4 < 2 ? 0 : 900)), logTime: EPOCH + BigInt(i * 20) * MILLI };
  });
  const { stepped, isSteady } = find(sent);
  expect(isSteady).toBe(false);
  expect(stepped.size).toBe(0);
});
