import { describe, expect, it } from 'vitest';
import { MessageError } from './errors.ts';
import type { ChannelSpec, MessageSchema } from './message.ts';
import { createDecoder, createEncoder, createSensorTimeReader } from './message-codec.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const SEPARATOR = '='.repeat(80);
const HEADER = `${SEPARATOR}
MSG: std_msgs/Header
builtin_interfaces/Time stamp
string frame_id
${SEPARATOR}
MSG: builtin_interfaces/Time
int32 sec
uint32 nanosec
`;
const wrench: MessageSchema = {
  name: 'test_msgs/msg/Wrench',
  encoding: 'ros2msg',
  data: bytes(`uint8 KIND=3\nstd_msgs/Header header\nfloat64[] force\n${HEADER}`),
};
const channelOf = (schema: MessageSchema | undefined, messageEncoding = 'cdr'): ChannelSpec => ({
  topic: '/wrench',
  messageEncoding,
  schema,
  metadata: new Map(),
});
const message = { header: { stamp: { sec: 7, nanosec: 8 }, frame_id: 'tool' }, force: [1.5, -2] };

const idl: MessageSchema = {
  name: 'test_msgs/msg/Point',
  encoding: 'ros2idl',
  data: bytes(`${SEPARATOR}
IDL: test_msgs/msg/Point
module test_msgs { module msg { struct Point { double x; double y; }; }; };
`),
};

describe('createDecoder()', () => {
  it('reads back what createEncoder() wrote by a ros2msg definition', () => {
    const data = createEncoder('/wrench', wrench)(message);
    const decoded = createDecoder(channelOf(wrench))(data);
    expect(decoded).toEqual({ ...message, force: Float64Array.from(message.force) });
  });

  it('reads a ros2idl definition', () => {
    const data = createEncoder('/point', idl)({ x: 1, y: 2 });
    expect(createDecoder(channelOf(idl))(data)).toEqual({ x: 1, y: 2 });
  });

  it('reads JSON', () => {
    expect(createDecoder(channelOf(undefined, 'json'))(bytes('{"a":[1,2]}'))).toEqual({ a: [1, 2] });
  });

  // A hand-made payload: big-endian CDR of {x: 1, y: 2}.
  it('reads big-endian CDR', () => {
    const data = new Uint8Array(20);
    const view = new DataView(data.buffer);
    view.setFloat64(4, 1);
    view.setFloat64(12, 2);
    expect(createDecoder(channelOf(idl))(data)).toEqual({ x: 1, y: 2 });
  });

  it.each([
    ['an encoding we do not decode', channelOf(wrench, 'protobuf'), 'message encoding "protobuf"'],
    ['no definition', channelOf(undefined), 'no message definition'],
    ['an empty definition', channelOf({ ...wrench, data: bytes('') }), 'is empty'],
    ['a broken definition', channelOf({ ...wrench, data: bytes('what is this') }), 'does not parse'],
    ['a missing dependency', channelOf({ ...wrench, data: bytes('other_msgs/Thing t') }), 'Thing'],
    ['a foreign schema encoding', channelOf({ ...wrench, encoding: 'omgidl' }), '"omgidl"'],
  ])('refuses %s and names the topic', (_what, channel, words) => {
    const decode = () => createDecoder(channel)(new Uint8Array(64));
    expect(decode).toThrow(MessageError);
    expect(decode).toThrow(words);
    expect(decode).toThrow('/wrench');
  });

  it('reads back every letter that createEncoder() was given, and what follows', () => {
    const schema = { ...wrench, data: bytes('string first\nstring[] others\nuint8 last') };
    const texts = { first: 'Höhe – 再来一次 🤖', others: ['', 'größer', 'plain'], last: 7 };
    expect(createDecoder(channelOf(schema))(createEncoder('/said', schema)(texts))).toEqual(texts);
  });

  it('reports a truncated payload with its size', () => {
    const data = createEncoder('/wrench', wrench)(message).subarray(0, 20);
    expect(() => createDecoder(channelOf(wrench))(data)).toThrow(/20 bytes on "\/wrench"/);
  });
});

describe('createSensorTimeReader()', () => {
  it('reads the stamp of a leading header without decoding', () => {
    const read = createSensorTimeReader(channelOf(wrench));
    expect(read?.(createEncoder('/wrench', wrench)(message))).toBe(7_000_000_008n);
    expect(read?.(new Uint8Array(4))).toBeUndefined();
  });

  it("reads the timestamp with which Foxglove's types begin", () => {
    const schema = { ...wrench, data: bytes('builtin_interfaces/Time timestamp\nstring frame_id') };
    const data = createEncoder('/video', schema)({ timestamp: { sec: 7, nanosec: 8 }, frame_id: 'a' });
    expect(createSensorTimeReader(channelOf(schema))?.(data)).toBe(7_000_000_008n);
    const other = { ...schema, data: bytes('builtin_interfaces/Time expiry') };
    expect(createSensorTimeReader(channelOf(other))).toBeUndefined();
  });

  it.each([
    ['a type without a header', channelOf(idl)],
    ['JSON', channelOf(undefined, 'json')],
    ['a definition that does not parse', channelOf({ ...wrench, data: bytes('what is this') })],
  ])('is undefined for %s', (_what, channel) => {
    expect(createSensorTimeReader(channel)).toBeUndefined();
  });
});
