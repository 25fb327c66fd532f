import { parse } from '@foxglove/rosmsg';
import { MessageReader } from '@foxglove/rosmsg2-serialization';
import type { MessageValue } from '../../schemas/message.ts';
import type { AdvertisedChannel } from '../protocol.ts';

export type Decode = (payload: Uint8Array) => MessageValue;

type Definitions = ReturnType<typeof parse>;
let parseIdl: ((definition: string) => Definitions) | undefined;

/** Loads what these channels need beside what every page has; to be awaited before `decoderOf()`. */
export async function prepareDecoders(channels: readonly AdvertisedChannel[]): Promise<void> {
  if (parseIdl || !channels.some(({ schemaEncoding }) => schemaEncoding === 'ros2idl')) return;
  const { default: ros2idl } = await import('@foxglove/ros2idl-parser');
  parseIdl = (definition) => ros2idl.parseRos2idl(definition) as Definitions;
}

/** The decoder that a channel's own definition makes; undefined for encodings that the page does not read. */
export function decoderOf({ encoding, schemaEncoding, schema }: AdvertisedChannel): Decode | undefined {
  if (encoding === 'json') {
    const text = new TextDecoder();
    return (payload) => JSON.parse(text.decode(payload)) as MessageValue;
  }
  const definitionsOf = {
    ros2msg: (text: string) => parse(text, { ros2: true }),
    ros2idl: parseIdl,
  }[schemaEncoding ?? 'ros2msg'];
  if (encoding !== 'cdr' || !definitionsOf) return undefined;
  try {
    const reader = new MessageReader<MessageValue>(definitionsOf(schema));
    return (payload) => reader.readMessage(payload);
  } catch (error) {
    console.warn('definition does not parse', error);
    return undefined;
  }
}

/** Why the page cannot draw a channel's messages, in words; undefined where it can read them. */
export function unreadableReason(channel: AdvertisedChannel): string | undefined {
  const { encoding, schemaEncoding, schema, schemaName } = channel;
  if (decoderOf(channel)) return undefined;
  if (encoding !== 'cdr') return `the page does not read ${encoding || 'unnamed'} messages`;
  if (schema.trim() === '') return `the recording does not hold the definition of ${schemaName}`;
  return `the page does not read ${schemaEncoding} definitions, or not this one`;
}
