import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { DatasetError } from '../../schemas/errors.ts';
import {
  CENTRAL,
  centralRecord,
  END,
  END_64,
  endRecord,
  LOCAL,
  LOCATOR_64,
  localRecord,
  MAX_16,
  MAX_32,
  type ZipEntry,
  zip64End,
  zip64Locator,
} from '../zip-records.ts';
import type { ZarrSink, ZarrSource } from './zarr-store.ts';

/** One archive, as zarr-python's `ZipStore`. Chunks are compressed already. */
export class ZipSink implements ZarrSink {
  readonly #handle: FileHandle;
  readonly #entries: ZipEntry[] = [];
  #at = 0;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  static async create(file: string): Promise<ZipSink> {
    return new ZipSink(await open(file, 'wx'));
  }

  async set(key: string, bytes: Uint8Array): Promise<void> {
    const entry = { name: Buffer.from(key), crc: crc32(bytes), size: bytes.byteLength, offset: this.#at };
    this.#entries.push(entry);
    await this.#append([localRecord(entry), entry.name, bytes]);
  }

  async close(): Promise<void> {
    const start = this.#at;
    const entries = this.#entries.length;
    for (const entry of this.#entries) await this.#append(centralRecord(entry));
    const size = this.#at - start;
    if (entries >= MAX_16 || start >= MAX_32 || size >= MAX_32) {
      await this.#append([zip64End({ entries, size, start }), zip64Locator(this.#at)]);
    }
    await this.#append([endRecord({ entries, size, start })]);
    await this.#handle.close();
  }

  async abort(): Promise<void> {
    await this.#handle.close();
  }

  async #append(parts: readonly Uint8Array[]): Promise<void> {
    const at = this.#at;
    // Known before it is written: writes of other keys may begin meanwhile.
    this.#at += parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
    await this.#handle.writev(parts, at);
  }
}

/** Opens an archive that {@link ZipSink} wrote. @throws {DatasetError} when its directory is not whole. */
export async function openZip(file: string): Promise<ZarrSource> {
  const handle = await open(file);
  try {
    const entries = await readDirectory(handle);
    return {
      keys: new Set(entries.keys()),
      get: async (key) => {
        const { offset, size, crc, name } = entries.get(key)!;
        const bytes = await readAt(handle, offset + LOCAL.bytes + name.byteLength, size);
        if (crc32(bytes) !== crc) {
          throw new DatasetError(`Cannot read "${file}": entry "${key}" does not match its checksum.`);
        }
        return bytes;
      },
      close: () => handle.close(),
    };
  } catch (cause) {
    await handle.close();
    throw new DatasetError(
      `Cannot read "${file}": it is no whole zip archive (${(cause as Error).message}).`,
      {
        cause,
      },
    );
  }
}

async function readDirectory(handle: FileHandle): Promise<Map<string, ZipEntry>> {
  const { size } = await handle.stat();
  const end = await readAt(handle, size - END.bytes, END.bytes);
  expect(end, END.signature);
  let [count, start] = [end.readUInt16LE(10), end.readUInt32LE(16)];
  if (count === MAX_16 || start === MAX_32) {
    const locator = await readAt(handle, size - END.bytes - LOCATOR_64.bytes, LOCATOR_64.bytes);
    expect(locator, LOCATOR_64.signature);
    const record = await readAt(handle, Number(locator.readBigUInt64LE(8)), END_64.bytes);
    expect(record, END_64.signature);
    [count, start] = [Number(record.readBigUInt64LE(32)), Number(record.readBigUInt64LE(48))];
  }
  const directory = await readAt(handle, start, size - END.bytes - start);
  const entries = new Map<string, ZipEntry>();
  for (let at = 0, left = count; left > 0; left--) {
    const record = directory.subarray(at);
    expect(record, CENTRAL.signature);
    const [nameBytes, extraBytes] = [record.readUInt16LE(28), record.readUInt16LE(30)];
    const name = record.subarray(CENTRAL.bytes, CENTRAL.bytes + nameBytes);
    const narrow = record.readUInt32LE(42);
    const offset = narrow < MAX_32 ? narrow : Number(record.readBigUInt64LE(CENTRAL.bytes + nameBytes + 4));
    if (entries.has(name.toString())) throw new RangeError(`entry "${name}" is there twice`);
    entries.set(name.toString(), {
      name,
      crc: record.readUInt32LE(16),
      size: record.readUInt32LE(24),
      offset,
    });
    at += CENTRAL.bytes + nameBytes + extraBytes;
  }
  return entries;
}

function expect(record: Buffer, signature: number): void {
  const found = record.readUInt32LE(0);
  if (found !== signature)
    throw new RangeError(`found ${found.toString(16)} instead of ${signature.toString(16)}`);
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await handle.read(bytes, 0, length, position);
  if (bytesRead !== length) throw new RangeError(`it is cut off at byte ${position + bytesRead}`);
  return bytes;
}
