import type { Contract } from '../schemas/contract.ts';
import type { ConnectionGraphUpdate } from './protocol.ts';
import { ADVERTISED_SERVICES } from './replay-controls.ts';
import type { ReplayedEpisode } from './replayed-episodes.ts';

/** Who gives what to whom in a replay: the recording and this program publish, the contract's policy reads. */
export function connectionGraph(
  { channels, recording }: Pick<ReplayedEpisode, 'channels' | 'recording'>,
  contract: Contract | undefined,
): ConnectionGraphUpdate {
  const read = new Set(
    Object.values(contract?.features ?? {}).flatMap((feature) =>
      'stream' in feature ? (contract?.streams[feature.stream]?.topic ?? []) : [],
    ),
  );
  return {
    op: 'connectionGraphUpdate',
    publishedTopics: channels.map(({ topic, advertised }) => ({
      name: advertised.topic,
      publisherIds: [recording.computedTopics.has(topic) ? 'kinescribe' : 'recording'],
    })),
    subscribedTopics: channels.flatMap(({ topic, advertised }) =>
      read.has(topic) ? [{ name: advertised.topic, subscriberIds: ['policy'] }] : [],
    ),
    advertisedServices: ADVERTISED_SERVICES.map(({ name }) => ({ name, providerIds: ['kinescribe'] })),
    removedTopics: [],
    removedServices: [],
  };
}
