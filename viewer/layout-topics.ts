import type { Contract } from '../schemas/contract.ts';
import type { EpisodeReader } from '../schemas/episode-reader.ts';
import { MessageError } from '../schemas/errors.ts';
import { parseFieldPath } from '../schemas/field-path.ts';
import type { ChannelSpec, Message, MessageValue } from '../schemas/message.ts';
import { createDecoder } from '../schemas/message-codec.ts';
import { replayChannels } from './channels.ts';
import type { PlotTopic } from './plots.ts';

/** What a layout needs to know of a topic. */
export interface LayoutTopic extends PlotTopic {
  readonly topic: string;
}

/** Decoding a picture only to choose its panel would be a waste; other types are small. */
const MAX_SAMPLE_BYTES = 1 << 20;

/** The topics of an episode, those of its contract first and in its order. */
export async function layoutTopics(
  reader: EpisodeReader,
  contract: Contract | undefined,
): Promise<readonly LayoutTopic[]> {
  const known = contract ? contractTopics(contract) : [];
  const topics = await Promise.all(
    replayChannels(reader.channels.values()).map(async ({ advertised, topic, droppable }) => {
      const stream = known.find((each) => each.topic === topic);
      return {
        topic: advertised.topic,
        type: shortType(advertised.schemaName),
        elementNames: stream?.elementNames ?? [],
        sample: droppable ? undefined : await firstMessage(reader, topic),
      };
    }),
  );
  const place = ({ topic }: LayoutTopic) => known.findIndex((each) => each.topic === topic) >>> 0; // -1 comes last
  return topics.sort((a, b) => place(a) - place(b) || (a.topic < b.topic ? -1 : 1));
}

/** Channel metadata: names of the elements of a list, as JSON. */
export const ELEMENT_NAMES = 'element_names';

/** Topics that a replay adds to those of the file. */
export function addedTopics(channels: readonly ChannelSpec[]): readonly LayoutTopic[] {
  return channels.map(({ topic, schema, metadata }) => ({
    topic,
    type: shortType(schema?.name ?? ''),
    elementNames: JSON.parse(metadata.get(ELEMENT_NAMES) ?? '[]') as readonly string[],
    sample: undefined,
  }));
}

/** The topics of a contract, before anything was recorded. */
export function contractTopics({ streams, features }: Contract): readonly LayoutTopic[] {
  return Object.entries(streams).map(([name, { topic, type }]) => {
    const own = Object.values(features).filter((each) => 'stream' in each && each.stream === name);
    return { topic, type: shortType(type), elementNames: own.flatMap(elementNames), sample: undefined };
  });
}

function elementNames(feature: Contract['features'][string]): readonly string[] {
  if (feature.kind !== 'vector') return [];
  const fields = [feature.field ?? []].flat().flatMap((field) => {
    const parsed = parseFieldPath(field);
    return 'path' in parsed ? parsed.path : [];
  });
  const picked = fields.flatMap((step) => (step.kind === 'named' ? step.names : []));
  return picked.length > 0 ? picked : (feature.names ?? []);
}

function shortType(type: string): string {
  return type.replace('/msg/', '/');
}

async function firstMessage(reader: EpisodeReader, topic: string): Promise<MessageValue | undefined> {
  for await (const message of reader.messages({ topics: [topic] })) return decoded(message);
  return undefined;
}

function decoded({ channel, data }: Message): MessageValue | undefined {
  if (data.byteLength > MAX_SAMPLE_BYTES) return undefined;
  try {
    return createDecoder(channel)(data);
  } catch (error) {
    if (error instanceof MessageError) return undefined; // such a topic is shown as raw messages
    throw error;
  }
}
