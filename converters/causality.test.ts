import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../schemas/fixtures/episodes.ts';
import {
  allFrames,
  EPOCH,
  jointState,
  MILLI,
  type TestMessage,
  testContract,
  writeTestEpisode,
} from './episode.fixture.ts';

const PERIOD = 0.1;

/** Messages whose number is their stamp: gaps, equal stamps and steps back of up to 200 ms, received late. */
const messagesArbitrary = fc
  .array(
    fc.record({
      forward: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constantFrom(0, 100, 600)),
      back: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 200 })),
      latency: fc.integer({ min: 0, max: 30 }),
    }),
    { minLength: 2, maxLength: 60 },
  )
  .map((steps): TestMessage[] => {
    let now = 1000;
    let received = 0;
    return steps.map(({ forward, back, latency }) => {
      now += forward;
      received = Math.max(received, now + latency);
      const stamp = now - back;
      return { stamp, log: received, value: jointState([stamp]) };
    });
  });

test('episodeFrames() takes nothing from after a tick under a causal policy, and dates what it takes', async () => {
  const contract = testContract(`
streams:
  clock: { topic: /clock, role: motion, type: sensor_msgs/msg/JointState, clock: log }
  arm: { topic: /arm, role: motion, type: sensor_msgs/msg/JointState, required: false }
features:
  clock: { kind: vector, stream: clock, field: position, shape: [1], toleranceSecs: 1 }
  hold: { kind: vector, stream: arm, field: position, shape: [1], dtype: float64, toleranceSecs: 0.15 }
  window: { kind: vector, stream: arm, field: position, shape: [8, 1], dtype: float64, align: window, toleranceSecs: 0.1 }
  nearest: { kind: vector, stream: arm, field: position, shape: [1], dtype: float64, align: nearest, toleranceSecs: 0.15 }
  linear: { kind: vector, stream: arm, field: position, shape: [1], dtype: float64, align: linear, toleranceSecs: 0.3 }
samples: { tickRateHz: 10 }`);
  const ticks = Array.from({ length: 40 }, (_, i) => ({ log: i * 100, value: jointState([i]) }));
  await using folder = await temporaryFolder();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(messagesArbitrary, async (messages) => {
      const file = join(folder.path, `${run++}.mcap`);
      const type = 'sensor_msgs/msg/JointState';
      await writeTestEpisode(file, [
        { topic: '/clock', type, messages: ticks },
        { topic: '/arm', type, messages },
      ]);
      const { frames, report } = await allFrames(file, contract);
      const hasSteps = (report.clocks.get('arm')?.steps.length ?? 0) > 0;
      const stamps = new Set(messages.map(({ stamp }) => stamp!));
      for (const { tickTime, values } of frames) {
        const millis = Number(tickTime - EPOCH) / 1e6;
        const of = (key: string) => {
          const value = values.get(key)!;
          if (value.kind !== 'vector') throw new TypeError(key);
          return value;
        };
        const [hold, window, nearest, linear] = ['hold', 'window', 'nearest', 'linear'].map(of);
        // A message exactly at the tick belongs to it.
        if (stamps.has(millis) && !hasSteps) expect(hold!.ageNanos).toBe(0n);
        if (hold!.valid) expect(hold!.ageNanos).toBe(tickTime - EPOCH - BigInt(hold!.elements[0]!) * MILLI);
        for (const value of [hold!, window!]) expect(value.ageNanos ?? 0n).toBeGreaterThanOrEqual(0n);
        for (const [slot, age] of window!.window!.ageSecs.entries()) {
          if (Number.isNaN(age)) expect(window!.elements[slot]).toBeNaN();
          else {
            expect(age).toBeGreaterThanOrEqual(0);
            expect(age).toBeLessThan(PERIOD);
            expect(window!.elements[slot]).toBeCloseTo(millis - 1000 * age, 6);
          }
        }
        if (nearest!.valid) {
          expect(nearest!.ageNanos).toBe(tickTime - EPOCH - BigInt(nearest!.elements[0]!) * MILLI);
          // Never farther than what holds.
          if (hold!.valid)
            expect(Math.abs(Number(nearest!.ageNanos))).toBeLessThanOrEqual(Number(hold!.ageNanos));
        }
        // Numbers that grow with time lie on the line, wherever the two around the tick are.
        if (linear!.valid) expect(linear!.elements[0]).toBeCloseTo(millis, 6);
      }
    }),
    { numRuns: 40 },
  );
});
