import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { DatasetError } from '../../schemas/errors.ts';
import type { ZarrSink, ZarrSource } from './zarr-store.ts';

/**
 * One archive of stored entries, as zarr-python's `ZipStore` (APPNOTE.TXT 6.3.10). Chunks are compressed
 * already. Archives of more than 65 535 entries or 4 GiB get the Zip64 records at the end.
 */
const LOCAL = { signature: 0x04034b50, bytes: 30 } as const;
const CENTRAL = { signature: 0x02014b50, bytes: 46 } as const;
const END = { signature: 0x06054b50, bytes: 22 } as const;
const END_64 = { signature: 0x06064b50, bytes: 56 } as const;
const LOCATOR_64 = { signature: 0x07064b50, bytes: 20 } as const;
/** Zip64, and names in UTF-8. */
const [VERSION, FLAGS] = [45, 0x0800];
/** 1 January 1980, the earliest date that there is: the bytes depend on the entries alone. */
const DOS_DATE = 0x0021;
const MAX_16 = 0xffff;
const MAX_32 = 0xffffffff;
/** Header id of the extra field with 64-bit numbers. */
const ZIP64_EXTRA = 1;

interface Entry {
  readonly name: Buffer;
  readonly crc: number;
  readonly size: number;
  readonly offset: number;
}

export class ZipSink implements ZarrSink {
  readonly #handle: FileHandle;
  readonly #entries: Entry[] = [];
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
    const header = Buffer.alloc(LOCAL.bytes);
    header.writeUInt32LE(LOCAL.signature, 0);
    header.writeUInt16LE(VERSION, 4);
    writeCommon(header.subarray(6), entry);
    await this.#append([header, entry.name, bytes]);
  }

  async close(): Promise<void> {
    const start = this.#at;
    const entries = this.#entries.length;
    for (const entry of this.#entries) await this.#append(centralRecord(entry));
    const size = this.#at - start;
    if (entries >= MAX_16 || start >= MAX_32 || size >= MAX_32) {
      await this.#append([zip64End({ entries, size, start }), zip64Locator(this.#at)]);
    }
    const end = Buffer.alloc(END.bytes);
    end.writeUInt32LE(END.signature, 0);
    end.writeUInt16LE(Math.min(entries, MAX_16), 8);
    end.writeUInt16LE(Math.min(entries, MAX_16), 10);
    end.writeUInt32LE(Math.min(size, MAX_32), 12);
    end.writeUInt32LE(Math.min(start, MAX_32), 16);
    await this.#append([end]);
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

/** What local and central records share: flags, method 0, time, date, checksum, sizes, length of the name. */
function writeCommon(bytes: Buffer, { crc, size, name }: Entry): void {
  bytes.writeUInt16LE(FLAGS, 0);
  bytes.writeUInt16LE(DOS_DATE, 6);
  bytes.writeUInt32LE(crc, 8);
  bytes.writeUInt32LE(size, 12);
  bytes.writeUInt32LE(size, 16);
  bytes.writeUInt16LE(name.byteLength, 20);
}

function centralRecord(entry: Entry): readonly Uint8Array[] {
  const { name, offset } = entry;
  const record = Buffer.alloc(CENTRAL.bytes);
  record.writeUInt32LE(CENTRAL.signature, 0);
  record.writeUInt16LE(VERSION, 4);
  record.writeUInt16LE(VERSION, 6);
  writeCommon(record.subarray(8), entry);
  record.writeUInt32LE(Math.min(offset, MAX_32), 42);
  if (offset < MAX_32) return [record, name];
  const extra = Buffer.alloc(12);
  extra.writeUInt16LE(ZIP64_EXTRA, 0);
  extra.writeUInt16LE(8, 2);
  extra.writeBigUInt64LE(BigInt(offset), 4);
  record.writeUInt16LE(extra.byteLength, 30);
  return [record, name, extra];
}

function zip64End({ entries, size, start }: { entries: number; size: number; start: number }): Buffer {
  const record = Buffer.alloc(END_64.bytes);
  record.writeUInt32LE(END_64.signature, 0);
  record.writeBigUInt64LE(BigInt(END_64.bytes - 12), 4);
  record.writeUInt16LE(VERSION, 12);
  record.writeUInt16LE(VERSION, 14);
  record.writeBigUInt64LE(BigInt(entries), 24);
  record.writeBigUInt64LE(BigInt(entries), 32);
  record.writeBigUInt64LE(BigInt(size), 40);
  record.writeBigUInt64LE(BigInt(start), 48);
  return record;
}

function zip64Locator(offset: number): Buffer {
  const record = Buffer.alloc(LOCATOR_64.bytes);
  record.writeUInt32LE(LOCATOR_64.signature, 0);
  record.writeBigUInt64LE(BigInt(offset), 8);
  record.writeUInt32LE(1, 16);
  return record;
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

async function readDirectory(handle: FileHandle): Promise<Map<string, Entry>> {
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
  const entries = new Map<string, Entry>();
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
