import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { extract, pack } from 'tar-stream';

/** One file inside an archive. */
export interface TarMember {
  readonly name: string;
  readonly data: Uint8Array;
}

const BLOCK_BYTES = 512;
const EPOCH = new Date(0);

/** Writes a USTAR archive whose bytes depend on its members alone: no owner, no date. */
export class TarWriter {
  readonly file: string;
  readonly #pack = pack();
  readonly #written: Promise<void>;
  #bytes = 2 * BLOCK_BYTES; // the two empty blocks at the end

  constructor(file: string) {
    this.file = file;
    this.#written = pipeline(this.#pack, createWriteStream(file, { flags: 'wx' }));
    this.#written.catch(() => {}); // reported by add() or close()
  }

  /** Size of the archive if it were closed now; names over 100 characters take a little more. */
  get bytes(): number {
    return this.#bytes;
  }

  async add({ name, data }: TarMember): Promise<void> {
    const entry = this.#pack.entry({
      name,
      size: data.byteLength,
      mode: 0o444,
      mtime: EPOCH,
      uid: 0,
      gid: 0,
    });
    this.#bytes += BLOCK_BYTES + Math.ceil(data.byteLength / BLOCK_BYTES) * BLOCK_BYTES;
    entry.end(data);
    // The stream takes the bytes only as fast as the file does.
    await Promise.race([once(entry, 'close'), this.#written]);
  }

  async close(): Promise<void> {
    this.#pack.finalize();
    await this.#written;
  }

  /** Lets go of the file; it stays half written. */
  async abort(): Promise<void> {
    this.#pack.destroy();
    await this.#written.catch(() => {});
  }
}

/** The members of an archive in order, one in memory at a time. */
export async function* readTar(file: string): AsyncGenerator<TarMember> {
  const archive = extract();
  const reading = pipeline(createReadStream(file), archive);
  reading.catch(() => {}); // the iteration below fails with it
  for await (const entry of archive) {
    const parts: Uint8Array[] = [];
    for await (const part of entry as AsyncIterable<Uint8Array>) parts.push(part);
    yield { name: entry.header.name, data: Buffer.concat(parts) };
  }
  await reading;
}
