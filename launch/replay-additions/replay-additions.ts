import type { Contract } from '../../schemas/contract.ts';
import type { EpisodeReader } from '../../schemas/episode-reader.ts';
import { ContractError } from '../../schemas/errors.ts';
import type { ChannelSpec } from '../../schemas/message.ts';
import type { AdditionsOf } from '../../schemas/replay-addition.ts';
import { storedContract } from '../../schemas/stored-contract.ts';
import { contactChannels, contactScene } from './contact-scene.ts';
import { LABELS_CHANNEL, LabelEvents } from './label-events.ts';
import { PolicyFrames } from './policy-frames.ts';
import { policyTopics } from './policy-values.ts';
import { robotTransforms } from './robot-transforms.ts';

/**
 * What the viewer shows of each episode beside its file.
 *
 * @param contract for recordings that carry none.
 */
export function replayAdditions(contract?: Contract): AdditionsOf {
  return async (reader) => {
    const known = (await contractOf(reader)) ?? contract;
    return [
      new LabelEvents(reader),
      ...(known ? [new PolicyFrames(reader, known)] : []),
      ...robotTransforms(reader),
      ...contactScene(reader),
    ];
  };
}

/** What is added to every episode of a contract, before there is one. */
export function addedChannels(contract: Contract): readonly ChannelSpec[] {
  return [
    LABELS_CHANNEL,
    ...[...policyTopics(contract).values()].map(({ channel }) => channel),
    ...Object.values(contract.streams).flatMap(({ topic, type }) => contactChannels(topic, type)),
  ];
}

/** A contract of another version is no reason not to look at the recording. */
async function contractOf(reader: EpisodeReader): Promise<Contract | undefined> {
  try {
    return (await storedContract(reader))?.contract;
  } catch (error) {
    if (error instanceof ContractError) return undefined;
    throw error;
  }
}
