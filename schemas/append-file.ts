import { type FileHandle, open } from 'node:fs/promises';

/** Buffers that one writev call takes on every system (IOV_MAX). */
const MAX_BUFFERS = 1024;

interface Pending {
  readonly buffers: readonly Uint8Array[];
  readonly written: PromiseWithResolvers<void>;
}

/**
 * A file that only grows: what is appended while the disk is busy goes out together in the next call. The
 * first failure ends it; what is on disk then is {@link writtenBytes} long.
 */
export class AppendFile {
  readonly #handle: FileHandle;
  readonly #syncEach: boolean;
  #pending: Pending[] = [];
  #isWriting = false;
  #writtenBytes = 0;
  #syncedBytes = 0;
  #failure: Error | undefined;

  /** @throws the system's error when the file exists or cannot be made. */
  static async create(path: string, options: { readonly syncEach: boolean }): Promise<AppendFile> {
    return new AppendFile(await open(path, 'wx'), options.syncEach);
  }

  /** @param syncEach whether bytes count as written only when they are forced to disk. */
  private constructor(handle: FileHandle, syncEach: boolean) {
    this.#handle = handle;
    this.#syncEach = syncEach;
  }

  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /**
   * Takes bytes that must not change until the promise settles.
   *
   * @throws the system's error when they, or bytes before them, could not be written.
   */
  append(buffers: readonly Uint8Array[]): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    const written = Promise.withResolvers<void>();
    this.#pending.push({ buffers, written });
    if (!this.#isWriting) void this.#write();
    return written.promise;
  }

  /** Forces what is written to disk; does nothing when it is there. */
  async sync(): Promise<void> {
    const bytes = this.#writtenBytes;
    if (bytes === this.#syncedBytes) return;
    await this.#handle.datasync();
    this.#syncedBytes = bytes;
  }

  /** Cuts the file after a failure and makes it writable again. */
  async restartAt(bytes: number): Promise<void> {
    await this.#handle.truncate(bytes);
    this.#writtenBytes = bytes;
    this.#pending = [];
    this.#failure = undefined;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    let batch: Pending[] = [];
    try {
      while (this.#pending.length > 0) {
        batch = this.#pending;
        this.#pending = [];
        await this.#writeAll(batch.flatMap(({ buffers }) => buffers));
        if (this.#syncEach) await this.sync();
        for (const { written } of batch) written.resolve();
      }
    } catch (error) {
      this.#failure = error as Error;
      for (const { written } of [...batch, ...this.#pending]) written.reject(error);
    }
    this.#isWriting = false;
  }

  /** One writev may take only part of what it is given. */
  async #writeAll(buffers: Uint8Array[]): Promise<void> {
    let rest = buffers.filter(({ byteLength }) => byteLength > 0);
    while (rest.length > 0) {
      let { bytesWritten } = await this.#handle.writev(rest.slice(0, MAX_BUFFERS), this.#writtenBytes);
      this.#writtenBytes += bytesWritten;
      let whole = 0;
      while (whole < rest.length && bytesWritten >= rest[whole]!.byteLength) {
        bytesWritten -= rest[whole++]!.byteLength;
      }
      rest = rest.slice(whole);
      if (bytesWritten > 0) rest[0] = rest[0]!.subarray(bytesWritten);
    }
  }
}
