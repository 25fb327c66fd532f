import { expect, test } from 'vitest';
import { StreamClock } from './stream-clock.ts';
import { STREAMS, type StreamSpec, TOPICS } from './streams.ts';

const specOf = (topic: string): StreamSpec => STREAMS.find((stream) => stream.topic === topic)!;

function samples(topic: string, untilSecs = 20) {
  const clock = new StreamClock(specOf(topic), { seed: 1, faults: [] });
  return Array.from(
    (function* () {
      for (let sample = clock.next(untilSecs * 1e9); sample; sample = clock.next(untilSecs * 1e9))
        yield sample;
    })(),
  );
}

test.each(STREAMS.filter(({ rateHz }) => rateHz))(
  'StreamClock keeps the rate and the order of $topic',
  (spec) => {
    const all = samples(spec.topic);
    expect(Math.abs(all.length - 20 * spec.rateHz!)).toBeLessThanOrEqual(1);
    all.forEach(({ instantNanos, publishNanos, logNanos }, i) => {
      expect(publishNanos).toBeGreaterThan(instantNanos);
      expect(logNanos).toBeGreaterThan(publishNanos);
      expect(instantNanos).toBeGreaterThan(all[i - 1]?.instantNanos ?? -1);
      expect(logNanos).toBeGreaterThanOrEqual(all[i - 1]?.logNanos ?? 0);
    });
  },
);

test('StreamClock samples a latched topic once, at the start', () => {
  expect(samples(TOPICS.tfStatic)).toMatchObject([{ instantNanos: 0, logNanos: 500_000 }]);
});

test('StreamClock gives streams of one rate their own phases, and a camera info those of its picture', () => {
  const instants = (topic: string) => samples(topic).map(({ instantNanos }) => instantNanos);
  expect(instants(TOPICS.frontInfo)).toEqual(instants(TOPICS.frontImage));
  expect(instants(TOPICS.wristImage)[0]).not.toBe(instants(TOPICS.frontImage)[0]);
  const logTimes = (topic: string) => samples(topic).map(({ logNanos }) => logNanos);
  expect(logTimes(TOPICS.frontInfo)).not.toEqual(logTimes(TOPICS.frontImage));
});

test('StreamClock holds nothing back before its instant', () => {
  const clock = new StreamClock(specOf(TOPICS.diagnostics), { seed: 1, faults: [] });
  const first = samples(TOPICS.diagnostics)[0]!;
  expect(clock.next(first.instantNanos - 1)).toBeUndefined();
  expect(clock.next(first.instantNanos)).toEqual(first);
});
