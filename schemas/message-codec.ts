import ros2idl from '@foxglove/ros2idl-parser';
import { parse } from '@foxglove/rosmsg';
import { MessageReader, MessageWriter } from '@foxglove/rosmsg2-serialization';
import { type CdrLayout, createLayoutReader } from './cdr-layout.ts';
import { MessageError } from './errors.ts';
import type { ChannelSpec, MessageSchema, MessageValue } from './message.ts';
import { type Stamp, stampToNanos } from './time.ts';

type Definitions = ReturnType<typeof parse>;
const text = new TextDecoder();

/** Decodes one payload. Byte arrays in the result are views of the payload; other arrays may be too. */
export type Decode = (data: Uint8Array) => MessageValue;

/**
 * Makes the decoder of a channel from the channel's own definition; nothing is guessed from names.
 *
 * @throws {MessageError} when the encoding is not `cdr` with `ros2msg` or `ros2idl`, nor `json`, or when
 * the definition does not parse. The returned function throws it for a payload that does not decode.
 */
export function createDecoder(channel: ChannelSpec): Decode {
  const decode = decoderOf(channel);
  return (data) => {
    try {
      return decode(data);
    } catch (cause) {
      throw new MessageError(
        channel.topic,
        `Cannot decode a message of ${data.byteLength} bytes on "${channel.topic}" as ` +
          `"${channel.schema?.name ?? channel.messageEncoding}": ${(cause as Error).message}. ` +
          'The payload does not follow the definition stored in the file.',
        { cause },
      );
    }
  };
}

function decoderOf(channel: ChannelSpec): Decode {
  switch (channel.messageEncoding) {
    case 'cdr': {
      const reader = new MessageReader<MessageValue>(definitionsOf(channel));
      return (data) => reader.readMessage(data);
    }
    case 'json':
      return (data) => JSON.parse(text.decode(data)) as MessageValue;
    default:
      throw new MessageError(
        channel.topic,
        `Cannot decode "${channel.topic}": message encoding "${channel.messageEncoding}" is not one of ` +
          '"cdr", "json". The messages can be recorded, replayed and copied, but not used as features.',
      );
  }
}

/**
 * Makes the CDR encoder of a type from its `ros2msg` or `ros2idl` definition.
 *
 * @throws {MessageError} when the definition does not parse.
 */
export function createEncoder(topic: string, schema: MessageSchema): (message: MessageValue) => Uint8Array {
  const writer = new MessageWriter(definitionsOf({ topic, schema }));
  return (message) => writer.writeMessage(withRoom(message));
}

/**
 * The writer gives a text as many bytes as it has characters, and cuts it off there. With as many more characters
 * as its bytes are more, all of it fits; those that were added do not.
 */
function withRoom(value: unknown): unknown {
  if (typeof value === 'string') {
    return value.padEnd(Buffer.byteLength(value), '\0');
  }
  if (Array.isArray(value)) return typeof value[0] === 'number' ? value : value.map(withRoom);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withRoom(each)]));
}

function definitionsOf({ topic, schema }: Pick<ChannelSpec, 'topic' | 'schema'>): Definitions {
  const fault = (why: string, cause?: unknown) =>
    new MessageError(topic, `Cannot decode "${topic}": ${why}.`, { cause });
  if (!schema) throw fault('the channel has encoding "cdr" but no message definition');
  const definition = text.decode(schema.data);
  if (definition.trim() === '' && schema.name !== 'std_msgs/msg/Empty') {
    throw fault(
      `the definition of "${schema.name}" is empty; record it again with the type's package sourced`,
    );
  }
  try {
    switch (schema.encoding) {
      case 'ros2msg':
        return parse(definition, { ros2: true });
      case 'ros2idl':
        return ros2idl.parseRos2idl(definition) as Definitions;
    }
  } catch (cause) {
    throw fault(`the definition of "${schema.name}" does not parse: ${(cause as Error).message}`, cause);
  }
  throw fault(`schema encoding "${schema.encoding}" is not one of "ros2msg", "ros2idl"`);
}

/**
 * Makes what finds the numbers of a channel's messages in their bytes; undefined where only decoding them does.
 *
 * @throws {MessageError} when the definition does not parse.
 */
export function createChannelLayout(
  channel: ChannelSpec,
): ((data: Uint8Array) => CdrLayout | undefined) | undefined {
  if (channel.messageEncoding !== 'cdr' || channel.schema?.encoding !== 'ros2msg') return undefined;
  const definitions = definitionsOf(channel);
  const root = rootOf(definitions, channel.schema.name);
  return root && createLayoutReader(definitions, root);
}

/** Reads the sensor time of a payload, or undefined where the payload is too short to hold one. */
export type ReadSensorTime = (data: Uint8Array) => bigint | undefined;

/**
 * Makes the reader of `header.stamp` for a channel whose first field is a `std_msgs/Header`, or of the `timestamp`
 * with which Foxglove's types begin, without decoding the rest: 4 bytes of encapsulation, then int32 seconds and
 * uint32 nanoseconds. Undefined for other types.
 */
export function createSensorTimeReader(channel: ChannelSpec): ReadSensorTime | undefined {
  if (channel.messageEncoding !== 'cdr' || !channel.schema) return undefined;
  const root = rootDefinition(channel);
  const first = root?.[0];
  const isStamp = first?.type === 'time' && first.name === 'timestamp';
  if (!isStamp && !/(^|\/)Header$/.test(first?.type ?? '')) return undefined;
  return (data) => {
    if (data.byteLength < 12) return undefined;
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const littleEndian = (view.getUint8(1) & 1) === 1;
    const stamp: Stamp = { sec: view.getInt32(4, littleEndian), nanosec: view.getUint32(8, littleEndian) };
    return stampToNanos(stamp);
  };
}

function rootDefinition(channel: ChannelSpec): Definitions[number]['definitions'] | undefined {
  let definitions: Definitions;
  try {
    definitions = definitionsOf(channel);
  } catch (error) {
    if (error instanceof MessageError) return undefined; // recorded all the same, only without sensor time
    throw error;
  }
  return rootOf(definitions, channel.schema?.name)?.definitions.filter((field) => !field.isConstant);
}

function rootOf(definitions: Definitions, name: string | undefined): Definitions[number] | undefined {
  const named = definitions.find((d) => d.name === name?.replace('/msg/', '/') || d.name === name);
  return named ?? definitions.find((d) => d.name === undefined) ?? definitions[0];
}
