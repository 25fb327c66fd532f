import { type FileHandle, open } from 'node:fs/promises';
import { EpisodeError, UsageError } from './errors.ts';
import { FormatFault } from './mcap-format.ts';

/** Memory that the caller fills completely; zeroing it first costs as much as reading a file from the cache. */
export function uninitialized(bytes: number): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(bytes);
  return new Uint8Array(buffer, byteOffset, bytes);
}

/** A file that is read in pieces, each into a buffer of its own: reads do not know of each other. */
export class FileBytes {
  readonly path: string;
  readonly size: number;
  readonly #handle: FileHandle;

  /** @throws {UsageError} when it cannot be opened. */
  static async open(path: string): Promise<FileBytes> {
    const fault = (cause: Error) =>
      new UsageError(`Cannot open "${path}": ${cause.message}. Give the path of a recording.`, { cause });
    const handle = await open(path, 'r').catch((cause) => {
      throw fault(cause);
    });
    const stat = await handle.stat();
    if (stat.isFile()) return new FileBytes(path, handle, stat.size);
    await handle.close();
    throw fault(new TypeError('it is not a file'));
  }

  private constructor(path: string, handle: FileHandle, size: number) {
    this.path = path;
    this.#handle = handle;
    this.size = size;
  }

  /** @throws {FormatFault} when the range does not lie in the file. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.size)) {
      throw new FormatFault(`bytes ${offset} to ${offset + length} lie outside of the file`, offset);
    }
    const buffer = uninitialized(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.#handle.read(buffer, filled, length - filled, offset + filled);
      if (bytesRead === 0)
        throw new FormatFault('the file became shorter while it was read', offset + filled);
      filled += bytesRead;
    }
    return buffer;
  }

  /** The same fault as an error that names the file and says what to do. */
  error(cause: FormatFault): EpisodeError {
    const advice = this.size === 0 ? 'It is empty.' : `Run "kinescribe recover ${this.path}".`;
    return new EpisodeError(
      this.path,
      `Cannot read "${this.path}" as an MCAP file: ${cause.message}. ${advice}`,
      {
        cause,
      },
    );
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
