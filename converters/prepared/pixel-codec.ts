import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** numcodecs' default; higher levels cost more time than the bytes they save. */
export const ZSTD_LEVEL = 3;

/** One Zstandard frame that says how much it holds, which numcodecs asks for. The same bytes give the same frame. */
export function packBytes(bytes: Uint8Array): Promise<Uint8Array> {
  const params = { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL };
  return compress(bytes, { params, pledgedSrcSize: bytes.byteLength });
}

/** @throws {Error} when the bytes are no whole Zstandard frame. */
export function unpackBytes(packed: Uint8Array): Promise<Uint8Array> {
  return decompress(packed);
}
