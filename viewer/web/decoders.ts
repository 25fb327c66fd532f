import { parse } from '@foxglove/rosmsg';
import { MessageReader } from '@foxglove/rosmsg2-serialization';
import type { MessageValue } from '../../schemas/message.ts';
import type { AdvertisedChannel } from '../protocol.ts';

export type Decode = (payload: Uint8Array) => MessageValue;

/** The decoder that a channel's own definition makes; undefined for encodings that the page does not read. */
export function decoderOf({ encoding, schemaEncoding, schema }: AdvertisedChannel): Decode | undefined {
  if (encoding === 'json') {
    const text = new TextDecoder();
    return (payload) => JSON.parse(text.decode(payload)) as MessageValue;
  }
  if (encoding !== 'cdr' || (schemaEncoding ?? 'ros2msg') !== 'ros2msg') return undefined;
  try {
    const reader = new MessageReader<MessageValue>(parse(schema, { ros2: true }));
    return (payload) => reader.readMessage(payload);
  } catch (error) {
    console.warn('definition does not parse', error);
    return undefined;
  }
}
