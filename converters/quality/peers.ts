import type { Contract } from '../../schemas/contract.ts';
import { EpisodeReader } from '../../schemas/episode-reader.ts';
import { currentLabels, readLabels } from '../../schemas/labels.ts';
import { storedContract } from '../../schemas/stored-contract.ts';
import { nanosToSecs } from '../../schemas/time.ts';
import { stepsOf } from './episode/steps.ts';
import type { Peer } from './episode-facts.ts';
import { isJointType, jointSample } from './joint-sample.ts';
import { ChannelObservations } from './observations.ts';
import { checkedStream } from './stream-role.ts';

/**
 * What the checks of other episodes compare with: read from the index and from one message per stream.
 *
 * @throws {UsageError | EpisodeError} when the file is no readable episode.
 */
export async function peerOf(file: string, contract?: Contract): Promise<Peer> {
  await using reader = await EpisodeReader.open(file);
  const info = await reader.info();
  const own = contract ?? (await storedContract(reader))?.contract;
  const start: Record<string, readonly number[]> = {};
  for (const channel of reader.channels.values()) {
    const stream = checkedStream(channel.topic, channel.schema?.name ?? '', own);
    if (stream.role !== 'motion' || !isJointType(stream.type)) continue;
    const observations = new ChannelObservations(stream, channel);
    for await (const { data, ...message } of reader.messages({ topics: [channel.topic] })) {
      const whole = { ...message, data, bytes: data.byteLength, fingerprint: 0, isWhole: true };
      const sample = jointSample(await observations.observe(whole));
      if (sample) start[stream.name] = Array.from(sample.position);
      break;
    }
  }
  const durationSecs = nanosToSecs(reader.endTime - reader.startTime);
  const steps = stepsOf(currentLabels(await readLabels(file))).map(({ name }) => name);
  return { id: info?.id ?? file, task: info?.task, durationSecs, start, steps };
}
