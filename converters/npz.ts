import { crc32 } from 'node:zlib';
import { centralRecord, endRecord, LOCAL, localRecord, type ZipEntry } from './zip-records.ts';

/** Element types, as NumPy's array protocol spells them. */
export type NpyType = '<f4' | '<f8' | '<i8' | '<i2' | '<u2' | '|u1' | '|b1';

export interface NpyArray {
  readonly type: NpyType;
  readonly shape: readonly number[];
  /** The elements, row-major and little-endian. */
  readonly data: Uint8Array;
}

const MAGIC = Buffer.from('\x93NUMPY\x01\x00', 'latin1');
/** Bytes before the header's text, and what the text is filled up to (numpy.lib.format). */
const PREFIX_BYTES = MAGIC.length + 2;
const ALIGNMENT = 64;

/** An array as `numpy.save` writes it, format version 1.0. */
export function encodeNpy({ type, shape, data }: NpyArray): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const bytes = Math.ceil((PREFIX_BYTES + text.length + 1) / ALIGNMENT) * ALIGNMENT;
  const header = Buffer.alloc(bytes, ' ');
  MAGIC.copy(header);
  header.writeUInt16LE(bytes - PREFIX_BYTES, MAGIC.length);
  header.write(text, PREFIX_BYTES, 'latin1');
  header.write('\n', bytes - 1);
  return Buffer.concat([header, data]);
}

/** @throws {RangeError} when the bytes are no array that we write. */
export function decodeNpy(bytes: Buffer): NpyArray {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw new RangeError('it is no array of NumPy');
  const start = PREFIX_BYTES + bytes.readUInt16LE(MAGIC.length);
  const text = bytes.toString('latin1', PREFIX_BYTES, start);
  const found = /'descr': '([<|]\w\d)', 'fortran_order': False, 'shape': \(([\d, ]*)\)/.exec(text);
  if (!found) throw new RangeError(`its header is "${text.trim()}"`);
  const shape = found[2]!.split(',').flatMap((each) => (each.trim() ? [Number(each)] : []));
  return { type: found[1] as NpyType, shape, data: bytes.subarray(start) };
}

/** Arrays by name as `numpy.savez` writes them; the same arrays give the same bytes. */
export function encodeNpz(arrays: ReadonlyMap<string, NpyArray>): Uint8Array {
  const parts: Uint8Array[] = [];
  const entries: ZipEntry[] = [];
  let at = 0;
  for (const [name, array] of arrays) {
    const bytes = encodeNpy(array);
    const entry = {
      name: Buffer.from(`${name}.npy`),
      crc: crc32(bytes),
      size: bytes.byteLength,
      offset: at,
    };
    entries.push(entry);
    parts.push(localRecord(entry), entry.name, bytes);
    at += LOCAL.bytes + entry.name.byteLength + entry.size;
  }
  const directory = entries.flatMap(centralRecord);
  const size = directory.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return Buffer.concat([...parts, ...directory, endRecord({ entries: entries.length, size, start: at })]);
}

/** @throws {RangeError} when the archive is not whole, or holds what we do not write. */
export function decodeNpz(bytes: Buffer): Map<string, NpyArray> {
  const arrays = new Map<string, NpyArray>();
  let at = 0;
  for (; bytes.readUInt32LE(at) === LOCAL.signature; ) {
    const [crc, size, nameBytes] = [
      bytes.readUInt32LE(at + 14),
      bytes.readUInt32LE(at + 22),
      bytes.readUInt16LE(at + 26),
    ];
    const name = bytes.toString('utf8', at + LOCAL.bytes, at + LOCAL.bytes + nameBytes);
    const content = bytes.subarray(at + LOCAL.bytes + nameBytes, at + LOCAL.bytes + nameBytes + size);
    if (crc32(content) !== crc) throw new RangeError(`"${name}" does not match its checksum`);
    arrays.set(name.replace(/\.npy$/, ''), decodeNpy(content));
    at += LOCAL.bytes + nameBytes + size;
  }
  return arrays;
}
