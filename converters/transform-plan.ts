import type { Contract, SampleClock } from '../schemas/contract.ts';
import type { EpisodeReader } from '../schemas/episode-reader.ts';
import type { Message } from '../schemas/message.ts';
import {
  type ChannelPlan,
  isTransform,
  lookAheadNanos,
  type StreamChannels,
  type StreamPlan,
  streamChannels,
} from './stream-plan.ts';
import {
  type ChainLink,
  readTransforms,
  TransformDecoder,
  type TransformEdge,
  type TransformSample,
  type TransformTopic,
  transformChain,
  transformTime,
} from './transform-tree.ts';

/** What poses of an episode are made of. */
export interface TransformPlans {
  /** One per moving frame: a message holds many, each with an instant of its own. */
  readonly plans: readonly StreamPlan[];
  /** By feature key: the way from the source to the target. */
  readonly chains: ReadonlyMap<string, readonly ChainLink[]>;
}

/**
 * Finds the frames that the contract's poses need, after one reading of all transforms.
 *
 * @throws {ConvertError} when a stream is not there, or nothing connects two frames.
 */
export async function planTransforms(reader: EpisodeReader, contract: Contract): Promise<TransformPlans> {
  const features = Object.entries(contract.features).flatMap(([key, feature]) =>
    isTransform(feature) ? [[key, feature] as const] : [],
  );
  const streams = new Map<string, StreamChannels>();
  const topics = new Map<string, TransformTopic>();
  for (const [, feature] of features) {
    for (const name of [feature.transform.static, feature.stream]) {
      if (name === undefined) continue;
      const channels = streamChannels(reader, contract, name);
      streams.set(name, channels);
      topics.set(channels.stream.topic, { isStatic: name !== feature.stream, clock: channels.clock });
    }
  }
  if (features.length === 0) return { plans: [], chains: new Map() };
  const edges = await readTransforms(reader, topics);
  const decoder = new TransformDecoder();
  const chains = new Map<string, readonly ChainLink[]>();
  const plans = new Map<string, StreamPlan>();
  for (const [key, feature] of features) {
    const links = transformChain(edges, { ...feature.transform, file: reader.file, key });
    chains.set(key, links);
    const users = features.map(([, each]) => each).filter(({ stream }) => stream === feature.stream);
    for (const { edge } of links) {
      if (edge.isStatic) continue;
      const plan = framePlan(streams.get(feature.stream)!, { edge, decoder });
      plans.set(`${feature.stream} ${edge.child}`, { ...plan, lookAheadNanos: lookAheadNanos(users) });
    }
  }
  return { plans: [...plans.values()], chains };
}

function framePlan(
  { name, stream, channels, messageCount, clock }: StreamChannels,
  { edge, decoder }: { readonly edge: TransformEdge; readonly decoder: TransformDecoder },
): StreamPlan {
  const find = (message: Message) =>
    decoder.transforms(message).findLast(({ child }) => child === edge.child);
  return {
    name,
    stream,
    frame: edge.child,
    messageCount,
    lookAheadNanos: 0n,
    hasWindow: false,
    channels: new Map(
      channels.map(({ id, schema }) => [id, channelPlan(schema?.name ?? '', { find, clock })]),
    ),
    first: edge.first,
    last: edge.last,
    clock: undefined,
  };
}

function channelPlan(
  type: string,
  {
    find,
    clock,
  }: { readonly find: (message: Message) => TransformSample | undefined; readonly clock: SampleClock },
): ChannelPlan {
  return {
    type,
    timeOf: (message) => {
      const sample = find(message);
      return sample && transformTime(sample, { message, clock });
    },
    readValue: (message) => find(message)?.transform,
  };
}
