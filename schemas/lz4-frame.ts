import { compress, decompressFrame } from 'lz4-napi';

/**
 * Magic number; independent blocks of up to 4 MiB, without checksums, as a chunk has its own; and the check of that
 * description (lz4_Frame_format 1.6.4).
 */
const HEADER = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73);
const END = new Uint8Array(4);
const MAX_BLOCK_BYTES = 2 ** 22;
/** In a block's size: it is stored as it is. */
const STORED = 2 ** 31;

/**
 * Compresses on threads of the pool; the bytes must not change meanwhile. The library's own frames copy the bytes
 * before: an eighth of the time for what shrinks well, half of it for noise.
 *
 * @returns the frame in pieces; what does not become smaller is a view of `bytes`.
 */
export async function lz4Frame(bytes: Uint8Array): Promise<readonly Uint8Array[]> {
  const blocks: Promise<readonly Uint8Array[]>[] = [];
  for (let at = 0; at < bytes.byteLength; at += MAX_BLOCK_BYTES) {
    blocks.push(lz4Block(bytes.subarray(at, at + MAX_BLOCK_BYTES)));
  }
  return [HEADER, ...(await Promise.all(blocks)).flat(), END];
}

/** A block behind its size. */
async function lz4Block(bytes: Uint8Array): Promise<readonly Uint8Array[]> {
  const block = await compress(bytes);
  // It stands behind the size of `bytes`, in four bytes as well.
  const blockBytes = block.byteLength - 4;
  if (blockBytes >= bytes.byteLength) return [uint32(STORED + bytes.byteLength), bytes];
  block.writeUInt32LE(blockBytes);
  return [block];
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** Decompresses anybody's frame on a thread of the pool. */
export function unlz4Frame({ buffer, byteOffset, byteLength }: Uint8Array): Promise<Uint8Array> {
  // The same memory; the library copies every other kind of array first.
  return decompressFrame(Buffer.from(buffer, byteOffset, byteLength));
}
