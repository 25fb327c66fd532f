import { setTimeout as delay } from 'node:timers/promises';
import { SourceError } from '../schemas/errors.ts';
import { secsToNanos } from '../schemas/time.ts';
import { FollowedClock } from './followed-clock.ts';
import type { RosNode } from './ros-node.ts';

const CLOCK_TOPIC = '/clock';
const CLOCK_TYPE = 'rosgraph_msgs/msg/Clock';
/** A request of the weakest kind hears every simulator. */
const CLOCK_QOS = { reliability: 'best_effort', durability: 'volatile', depth: 10 } as const;

/**
 * The time of a simulation for a node with `use_sim_time`; resolves at its first `/clock`.
 *
 * @param waitSecs longest wait for it.
 * @throws {SourceError} when nobody publishes the time.
 */
export async function openRosClock(node: RosNode, waitSecs: number): Promise<FollowedClock> {
  const started = Promise.withResolvers<FollowedClock>();
  let clock: FollowedClock | undefined;
  const subscription = node.subscribe(CLOCK_TOPIC, CLOCK_TYPE, CLOCK_QOS, (serialized) => {
    const time = decodeClock(serialized);
    clock ??= new FollowedClock(time);
    clock.follow(time);
    started.resolve(clock);
  });
  const waiting = new AbortController();
  const late = delay(waitSecs * 1000, undefined, { signal: waiting.signal }).then(() => {
    subscription.close();
    throw new SourceError(
      `Cannot record with use_sim_time: nobody has published the time on "${CLOCK_TOPIC}" for ${waitSecs} s. ` +
        'Start the simulation, or leave out "-p use_sim_time:=true".',
    );
  });
  late.catch(() => {}); // aborted once the time has come
  try {
    return await Promise.race([started.promise, late]);
  } finally {
    waiting.abort();
  }
}

/** `rosgraph_msgs/msg/Clock`: encapsulation, int32 seconds, uint32 nanoseconds. */
function decodeClock(serialized: Uint8Array): bigint {
  const view = new DataView(serialized.buffer, serialized.byteOffset, serialized.byteLength);
  const isLittle = (view.getUint8(1) & 1) === 1;
  return secsToNanos(view.getInt32(4, isLittle)) + BigInt(view.getUint32(8, isLittle));
}
