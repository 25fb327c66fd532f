import type { MessageValue } from './message.ts';

/** The part of a parsed definition that says how a message lies in its bytes. */
export interface TypeDefinition {
  readonly name?: string | undefined;
  readonly definitions: readonly FieldDefinition[];
}

interface FieldDefinition {
  readonly name: string;
  readonly type: string;
  readonly isArray?: boolean | undefined;
  readonly arrayLength?: number | undefined;
  readonly isComplex?: boolean | undefined;
  readonly isConstant?: boolean | undefined;
}

/** Where the numbers of one message lie. */
export interface CdrLayout {
  /** The message with every number replaced by its place in `leaves`; texts are as they are. */
  readonly value: MessageValue;
  readonly leaves: readonly CdrLeaf[];
  /** Byte ranges that decide where all else lies: texts and the lengths of sequences. Half-open, in order. */
  readonly structure: readonly (readonly [start: number, end: number])[];
}

export interface CdrLeaf {
  readonly offset: number;
  readonly type: LeafType;
}

export type LeafType = keyof typeof LEAVES;

type ReadLeaf = (view: DataView, offset: number, isLittleEndian: boolean) => number;

/** Size in bytes and how to read one number; booleans are 0 and 1, as everywhere. */
const LEAVES = {
  bool: [1, (view, at) => view.getUint8(at)],
  uint8: [1, (view, at) => view.getUint8(at)],
  int8: [1, (view, at) => view.getInt8(at)],
  uint16: [2, (view, at, little) => view.getUint16(at, little)],
  int16: [2, (view, at, little) => view.getInt16(at, little)],
  uint32: [4, (view, at, little) => view.getUint32(at, little)],
  int32: [4, (view, at, little) => view.getInt32(at, little)],
  uint64: [8, (view, at, little) => Number(view.getBigUint64(at, little))],
  int64: [8, (view, at, little) => Number(view.getBigInt64(at, little))],
  float32: [4, (view, at, little) => view.getFloat32(at, little)],
  float64: [8, (view, at, little) => view.getFloat64(at, little)],
} as const satisfies Record<string, readonly [size: number, read: ReadLeaf]>;

export function readLeaf({ type }: CdrLeaf): ReadLeaf {
  return LEAVES[type][1];
}

/** Bytes before the first field: the encapsulation. Alignment counts from behind it. */
const HEADER_BYTES = 4;
/** Plain CDR, big and little endian (DDSI-RTPS 10.5); others align differently. */
const PLAIN_CDR: readonly number[] = [0, 1];
/** Structures within this distance are compared in one go, padding and all. */
const MAX_PADDING = 8;

/**
 * Finds out where the numbers of messages of a type lie, without decoding them.
 *
 * @returns undefined for what is not plain CDR, and for types with members that it does not know.
 */
export function createLayoutReader(
  definitions: readonly TypeDefinition[],
  root: TypeDefinition,
): (data: Uint8Array) => CdrLayout | undefined {
  const byName = new Map(definitions.map((definition) => [definition.name ?? '', definition]));
  return (data) => {
    if (data[0] !== 0 || !PLAIN_CDR.includes(data[1] ?? -1)) return undefined;
    try {
      const walk = new LayoutWalk(byName, data);
      const value = walk.message(root);
      return { value, leaves: walk.leaves, structure: walk.structure };
    } catch (error) {
      if (error instanceof RangeError) return undefined; // decoding it will say what is wrong
      throw error;
    }
  };
}

class LayoutWalk {
  readonly leaves: CdrLeaf[] = [];
  readonly structure: [number, number][] = [];
  readonly #types: ReadonlyMap<string, TypeDefinition>;
  readonly #data: Uint8Array;
  readonly #view: DataView;
  readonly #isLittleEndian: boolean;
  #at = HEADER_BYTES;

  constructor(types: ReadonlyMap<string, TypeDefinition>, data: Uint8Array) {
    this.#types = types;
    this.#data = data;
    this.#view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    this.#isLittleEndian = data[1] === 1;
  }

  message({ definitions }: TypeDefinition): MessageValue {
    const value: Record<string, unknown> = {};
    const fields = definitions.filter(({ isConstant }) => !isConstant);
    if (fields.length === 0) throw new RangeError('a type without members');
    for (const field of fields) value[field.name] = this.#field(field);
    return value;
  }

  #field({ type, isArray, arrayLength, isComplex }: FieldDefinition): unknown {
    const each = () => (isComplex ? this.message(this.#type(type)) : this.#primitive(type));
    if (!isArray) return each();
    return Array.from({ length: arrayLength ?? this.#length() }, each);
  }

  #type(name: string): TypeDefinition {
    const found = this.#types.get(name);
    if (!found) throw new RangeError(`type "${name}" is not defined`);
    return found;
  }

  #primitive(type: string): unknown {
    if (type === 'string') return this.#text();
    if (type === 'time' || type === 'duration')
      return { sec: this.#leaf('int32'), nanosec: this.#leaf('uint32') };
    if (Object.hasOwn(LEAVES, type)) return this.#leaf(type as LeafType);
    throw new RangeError(`"${type}" is not known`);
  }

  #leaf(type: LeafType): number {
    const [size] = LEAVES[type];
    const offset = this.#aligned(size);
    this.#at = offset + size;
    if (this.#at > this.#data.byteLength) throw new RangeError('the message is too short');
    return this.leaves.push({ offset, type }) - 1;
  }

  #text(): string {
    const bytes = this.#length();
    const start = this.#at;
    this.#at += bytes;
    this.#fixed(start, this.#at);
    return new TextDecoder().decode(this.#data.subarray(start, Math.max(start, this.#at - 1)));
  }

  #length(): number {
    const start = this.#aligned(4);
    const length = this.#view.getUint32(start, this.#isLittleEndian);
    this.#at = start + 4;
    this.#fixed(start, this.#at);
    if (length > this.#data.byteLength) throw new RangeError(`a length of ${length}`);
    return length;
  }

  #aligned(size: number): number {
    return HEADER_BYTES + Math.ceil((this.#at - HEADER_BYTES) / size) * size;
  }

  #fixed(start: number, end: number): void {
    const last = this.structure.at(-1);
    const isAfterLeaf = (this.leaves.at(-1)?.offset ?? 0) > (last?.[1] ?? 0);
    if (last && !isAfterLeaf && start - last[1] < MAX_PADDING) last[1] = end;
    else this.structure.push([start, end]);
  }
}
