/** Bytes that are read when they are written, so that a record need not fit into memory. */
export interface LateBytes {
  readonly byteLength: number;
  read(): Promise<Uint8Array>;
}

export type Part = Uint8Array | LateBytes;

/** The values of one feature of a `tf.train.Example`. */
export type ExampleValues<B extends Part = Part> =
  | { readonly kind: 'bytes'; readonly values: readonly B[] }
  | { readonly kind: 'float'; readonly values: Float32Array }
  | { readonly kind: 'int'; readonly values: BigInt64Array };

/** Numbers that are encoded already, part by part, as {@link packNumbers} does it. */
export interface PackedValues {
  readonly kind: 'packed';
  readonly of: 'float' | 'int';
  readonly parts: readonly Part[];
}

/** Field numbers of Feature (tensorflow/core/example/feature.proto). */
const KIND_FIELDS = { bytes: 1, float: 2, int: 3 } as const;
/** What protobuf refuses to parse: lengths are signed 32-bit numbers there. */
export const MAX_EXAMPLE_BYTES = 2 ** 31 - 1;

/** Encoded bytes in order, and how many they are. */
interface Encoded {
  readonly parts: readonly Part[];
  readonly bytes: number;
}

/**
 * Encodes a `tf.train.Example`. Byte strings are not copied: the parts refer to them.
 *
 * @returns the encoding in parts.
 */
export function encodeExample(features: ReadonlyMap<string, ExampleValues | PackedValues>): Encoded {
  const entries = [...features].map(([key, values]) =>
    field(1, join(field(1, whole(Buffer.from(key))), field(2, encodeFeature(values)))),
  );
  return field(1, join(...entries));
}

function encodeFeature(feature: ExampleValues | PackedValues): Encoded {
  switch (feature.kind) {
    case 'bytes':
      return field(KIND_FIELDS.bytes, join(...feature.values.map((value) => field(1, whole(value)))));
    case 'packed':
      return field(KIND_FIELDS[feature.of], field(1, join(...feature.parts.map(whole))));
    default:
      return field(KIND_FIELDS[feature.kind], field(1, whole(packNumbers(feature))));
  }
}

/** The numbers of a feature as they lie in a record. */
export function packNumbers(numbers: Exclude<ExampleValues, { kind: 'bytes' }>): Uint8Array {
  return numbers.kind === 'float' ? floatBytes(numbers.values) : varints(numbers.values);
}

/** A field of wire type 2: tag, length, content. */
function field(number: number, { parts, bytes }: Encoded): Encoded {
  const head = varints([BigInt((number << 3) | 2), BigInt(bytes)]);
  return { parts: [head, ...parts], bytes: head.byteLength + bytes };
}

function join(...pieces: readonly Encoded[]): Encoded {
  return {
    parts: pieces.flatMap(({ parts }) => parts),
    bytes: pieces.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function whole(bytes: Part): Encoded {
  return { parts: [bytes], bytes: bytes.byteLength };
}

// Typed arrays are little-endian on every platform that Node runs on.
function floatBytes({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** 64 bits, seven a byte. */
const MAX_VARINT_BYTES = 10;

/** Base 128, least significant group first; negative numbers as two's complement of 64 bits. */
function varints(values: ArrayLike<bigint>): Uint8Array {
  let bytes = new Uint8Array(MAX_VARINT_BYTES + 2 * values.length);
  let at = 0;
  for (let i = 0; i < values.length; i++) {
    if (at + MAX_VARINT_BYTES > bytes.length) {
      const larger = new Uint8Array(2 * bytes.length);
      larger.set(bytes);
      bytes = larger;
    }
    let rest = BigInt.asUintN(64, values[i]!);
    for (; rest >= 128n; rest >>= 7n) bytes[at++] = Number(rest & 127n) | 128;
    bytes[at++] = Number(rest);
  }
  return bytes.slice(0, at);
}

/** @throws {RangeError} when the bytes are no `tf.train.Example`. */
export function decodeExample(bytes: Buffer): Map<string, ExampleValues<Buffer>> {
  const features = new Map<string, ExampleValues<Buffer>>();
  for (const [, list] of fields(bytes)) {
    for (const [, entry] of fields(list)) {
      const parts = new Map(fields(entry));
      const [key, feature] = [parts.get(1), parts.get(2)];
      if (!key || !feature) throw new RangeError('an entry of the features has no key or no value');
      features.set(key.toString('utf8'), decodeFeature(feature));
    }
  }
  return features;
}

function decodeFeature(feature: Buffer): ExampleValues<Buffer> {
  const [kind, list] = [...fields(feature)][0] ?? [];
  if (!list) throw new RangeError('a feature is empty');
  const contents = [...fields(list)].map(([, content]) => content);
  if (kind === KIND_FIELDS.bytes) return { kind: 'bytes', values: contents };
  const packed = Buffer.concat(contents);
  if (kind === KIND_FIELDS.int) return { kind: 'int', values: BigInt64Array.from(readVarints(packed)) };
  if (kind !== KIND_FIELDS.float || packed.length % 4 !== 0) {
    throw new RangeError(`a feature of kind ${kind} has ${packed.length} bytes`);
  }
  const values = Float32Array.from({ length: packed.length / 4 }, (_, i) => packed.readFloatLE(4 * i));
  return { kind: 'float', values };
}

/** The fields of a message; all of those used here are of wire type 2. */
function* fields(message: Buffer): Generator<[number, Buffer]> {
  let at = 0;
  const next = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at++];
      if (byte === undefined) throw new RangeError('a message is cut off');
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = next();
    if ((tag & 7) !== 2) throw new RangeError(`a field has wire type ${tag & 7} instead of 2`);
    const length = next();
    if (at + length > message.length) throw new RangeError('a message is cut off');
    yield [tag >>> 3, message.subarray(at, at + length)];
    at += length;
  }
}

function* readVarints(bytes: Buffer): Generator<bigint> {
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 127) << shift;
    shift += 7n;
    if (byte < 128) {
      yield BigInt.asIntN(64, value);
      [value, shift] = [0n, 0n];
    }
  }
}
