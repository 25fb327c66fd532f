import { setTimeout as delay } from 'node:timers/promises';
import type { Contract, Stream } from '../../schemas/contract.ts';
import type { StreamStatus } from '../../schemas/recording-control.ts';
import type { StartCheck } from './start-check.ts';

/** Drivers that run are found and heard by then, and a rate has shown itself. */
const LONGEST_MILLIS = 3000;
const LOOK_MILLIS = 50;
/**
 * Fast DDS connects a recorder that follows a killed one when the lease of that one has run out, which takes up to
 * 20 seconds.
 */
const PATIENCE_MILLIS = 30_000;

export interface FirstLookOptions {
  /** The streams as the recorder hears them before its first take. */
  readonly streams: () => readonly StreamStatus[];
  readonly contract: Contract;
  readonly signal: AbortSignal;
}

/**
 * Waits until every required stream that has a rate is heard, for three seconds at most.
 *
 * @returns those that are silent or slow.
 */
export async function firstLook({
  streams,
  contract,
  signal,
}: FirstLookOptions): Promise<readonly StartCheck[]> {
  const awaited = awaitedStreams(contract);
  const troubled = () => {
    const seen = new Map(streams().map((each) => [each.topic, each]));
    return awaited.flatMap(({ topic }) => {
      const status = seen.get(topic);
      return status && status.received > 0 && status.trouble !== 'slow' ? [] : [{ topic, status }];
    });
  };
  const endMillis = performance.now() + LONGEST_MILLIS;
  while (troubled().length > 0 && performance.now() < endMillis && !signal.aborted) await delay(LOOK_MILLIS);
  if (signal.aborted) return [];
  return troubled().map(({ topic, status }) => ({
    name: 'first look',
    verdict: 'fault',
    found:
      status && status.received > 0
        ? `"${topic}" ${status.rateHz.toFixed(1)} Hz, the contract says ${status.expectedRateHz} Hz`
        : `"${topic}" is silent`,
    remedy: 'Look at its driver; "kinescribe doctor" with the contract says more.',
  }));
}

/**
 * Waits until each of these streams has been heard, for half a minute at most: without an operator who looks, the
 * first take would begin without them.
 */
export async function untilHeard({ streams, contract, signal }: FirstLookOptions): Promise<void> {
  const awaited = awaitedStreams(contract);
  const endMillis = performance.now() + PATIENCE_MILLIS;
  const isHeard = () => {
    const heard = new Set(streams().flatMap(({ topic, received }) => (received > 0 ? [topic] : [])));
    return awaited.every(({ topic }) => heard.has(topic));
  };
  while (!isHeard() && performance.now() < endMillis && !signal.aborted) await delay(LOOK_MILLIS);
}

/** Those that have to be there all the time. */
function awaitedStreams({ streams }: Contract): readonly Stream[] {
  return Object.values(streams).filter(({ required, rateHz }) => required && rateHz !== undefined);
}
