/**
 * Records of a zip archive of stored entries (APPNOTE.TXT 6.3.10). Archives of more than 65 535 entries or 4 GiB get
 * the Zip64 records at the end.
 */
export const LOCAL = { signature: 0x04034b50, bytes: 30 } as const;
export const CENTRAL = { signature: 0x02014b50, bytes: 46 } as const;
export const END = { signature: 0x06054b50, bytes: 22 } as const;
export const END_64 = { signature: 0x06064b50, bytes: 56 } as const;
export const LOCATOR_64 = { signature: 0x07064b50, bytes: 20 } as const;
/** Zip64, and names in UTF-8. */
const [VERSION, FLAGS] = [45, 0x0800];
/** 1 January 1980, the earliest date that there is: the bytes depend on the entries alone. */
const DOS_DATE = 0x0021;
export const MAX_16 = 0xffff;
export const MAX_32 = 0xffffffff;
/** Header id of the extra field with 64-bit numbers. */
const ZIP64_EXTRA = 1;

export interface ZipEntry {
  readonly name: Buffer;
  readonly crc: number;
  readonly size: number;
  readonly offset: number;
}

export function localRecord(entry: ZipEntry): Uint8Array {
  const record = Buffer.alloc(LOCAL.bytes);
  record.writeUInt32LE(LOCAL.signature, 0);
  record.writeUInt16LE(VERSION, 4);
  writeCommon(record.subarray(6), entry);
  return record;
}

/** What local and central records share: flags, method 0, time, date, checksum, sizes, length of the name. */
function writeCommon(bytes: Buffer, { crc, size, name }: ZipEntry): void {
  bytes.writeUInt16LE(FLAGS, 0);
  bytes.writeUInt16LE(DOS_DATE, 6);
  bytes.writeUInt32LE(crc, 8);
  bytes.writeUInt32LE(size, 12);
  bytes.writeUInt32LE(size, 16);
  bytes.writeUInt16LE(name.byteLength, 20);
}

export function centralRecord(entry: ZipEntry): readonly Uint8Array[] {
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

export function zip64End({ entries, size, start }: Directory): Buffer {
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

export function zip64Locator(offset: number): Buffer {
  const record = Buffer.alloc(LOCATOR_64.bytes);
  record.writeUInt32LE(LOCATOR_64.signature, 0);
  record.writeBigUInt64LE(BigInt(offset), 8);
  record.writeUInt32LE(1, 16);
  return record;
}

export interface Directory {
  readonly entries: number;
  /** Bytes of the central records. */
  readonly size: number;
  /** Where they begin. */
  readonly start: number;
}

/** The last record of an archive. */
export function endRecord({ entries, size, start }: Directory): Uint8Array {
  const end = Buffer.alloc(END.bytes);
  end.writeUInt32LE(END.signature, 0);
  end.writeUInt16LE(Math.min(entries, MAX_16), 8);
  end.writeUInt16LE(Math.min(entries, MAX_16), 10);
  end.writeUInt32LE(Math.min(size, MAX_32), 12);
  end.writeUInt32LE(Math.min(start, MAX_32), 16);
  return end;
}
