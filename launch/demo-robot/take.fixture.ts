import type { SourceMessage } from '../../recorder/source.ts';
import type { MessageValue } from '../../schemas/message.ts';
import { createDecoder } from '../../schemas/message-codec.ts';
import { type Stamp, stampToNanos } from '../../schemas/time.ts';
import { Simulation } from './simulation.ts';
import { channelOf, STREAMS, type Topic } from './streams.ts';
import type { DemoTruth } from './truth.ts';
import type { WorldOptions } from './world-options.ts';

/** For tests: all that a simulated robot sent, and what really happened. */
export interface Take {
  readonly messages: readonly SourceMessage[];
  readonly truth: DemoTruth;
}

export interface Decoded {
  /** As the message's stamp says; the receive time of a message without one. */
  readonly sensorTime: bigint;
  readonly logTime: bigint;
  readonly data: Uint8Array;
  readonly value: MessageValue;
}

export const START_TIME = 1_790_000_000_000_000_000n;

/** Runs a simulation to its end in this thread. */
export async function recordTake(options: Partial<WorldOptions>): Promise<Take> {
  const simulation = await Simulation.create({ seed: 1, faults: [], startTime: START_TIME, ...options });
  const messages: SourceMessage[] = [];
  for (;;) {
    const batch = await simulation.advance(0.05);
    messages.push(...batch.messages);
    if (batch.truth) return { messages, truth: batch.truth };
  }
}

/** The messages of a topic, decoded by the channel's own definition. */
export function decoded({ messages }: Take, topic: Topic): Decoded[] {
  const channelKey = STREAMS.findIndex((stream) => stream.topic === topic);
  const decode = createDecoder(channelOf(STREAMS[channelKey]!));
  return messages
    .filter((message) => message.channelKey === channelKey)
    .map(({ data, logTime }) => {
      const value = decode(data);
      const stamp = stampOf(value);
      return { sensorTime: stamp ? stampToNanos(stamp) : logTime, logTime, data, value };
    });
}

function stampOf(value: MessageValue): Stamp | undefined {
  const [stamped = value] = Array.isArray(value.transforms) ? value.transforms : [];
  return stamped.header?.stamp;
}
