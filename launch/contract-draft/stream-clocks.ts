import type { SampleClock } from '../../schemas/contract.ts';
import { nanosToSecs } from '../../schemas/time.ts';
import type { ObservedTopic } from './observed-topic.ts';

/** The clock of the samples, and the streams that need another one. */
export interface ClockGuess {
  readonly clock: SampleClock;
  readonly because: string;
  /** By topic. */
  readonly exceptions: ReadonlyMap<string, { readonly clock: SampleClock; readonly because: string }>;
}

/** Stamps of one robot's sensors agree within this, transport and exposure included. */
const AGREEMENT_SECS = 5;
/** Stamps further from the receive times than this are of a clock of their own. */
const SAME_CLOCK_SECS = 60;
/** A middleware delivers within this; a larger difference is no transport. */
const TRANSPORT_SECS = 1;

/** Guesses on which clock values of these topics can be brought together. */
export function guessClocks(topics: readonly ObservedTopic[]): ClockGuess {
  const ages = new Map(
    topics.flatMap((topic) => {
      const age = stampAgeSecs(topic);
      return age === undefined ? [] : [[topic.topic, age] as const];
    }),
  );
  const offset = median([...ages.values()]);
  if (offset === undefined) {
    return { clock: 'log', because: 'no message bears a usable stamp', exceptions: new Map() };
  }
  const strangers = topics.filter(
    ({ topic }) => !(Math.abs((ages.get(topic) ?? Number.NaN) - offset) <= AGREEMENT_SECS),
  );
  const hasOwnClock = Math.abs(offset) > SAME_CLOCK_SECS;
  if (hasOwnClock && strangers.length > 0) {
    return {
      clock: 'log',
      because: `stamps lie ${offset.toFixed(0)} s behind the receive times, and ${strangers[0]!.topic} does not share their clock`,
      exceptions: new Map(),
    };
  }
  return {
    clock: 'sensor',
    because: hasOwnClock
      ? `stamps are of one clock, ${offset.toFixed(0)} s behind the receive times`
      : `stamps are ${Math.max(0, offset * 1000).toFixed(0)} ms old when received`,
    exceptions: new Map(strangers.map((each) => [each.topic, exceptionFor(each)])),
  };
}

function exceptionFor({ sensorTimes, publishTimes, logTimes }: ObservedTopic) {
  const why = sensorTimes
    ? 'its stamps stand still or are of another clock'
    : 'its type begins with no header';
  const delays = logTimes.map((time, i) => nanosToSecs(time - publishTimes[i]!));
  const typical = median(delays) ?? 0;
  const isTold = typical > 0 && typical < TRANSPORT_SECS;
  return { clock: isTold ? 'publish' : 'log', because: why } as const;
}

/** How old stamps are on receipt, at the median; undefined where they do not move on with the messages. */
function stampAgeSecs({ sensorTimes, logTimes }: ObservedTopic): number | undefined {
  if (!sensorTimes || sensorTimes.length < 2 || sensorTimes[0] === sensorTimes.at(-1)) return undefined;
  if (new Set(sensorTimes).size * 2 < sensorTimes.length) return undefined;
  return median(logTimes.map((time, i) => nanosToSecs(time - sensorTimes[i]!)));
}

function median(numbers: readonly number[]): number | undefined {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}
