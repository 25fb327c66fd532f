import { join } from 'node:path';
import type { DatasetIndex } from './layout.ts';
import { shardName } from './layout.ts';
import { type TarMember, TarWriter } from './tar.ts';

export interface ShardLimits {
  /** A shard is closed once it holds this many samples. @default 10000 */
  readonly maxSamples?: number;
  /** A shard is closed once it holds this many bytes; it is at most one sample larger. @default 256 MiB */
  readonly maxBytes?: number;
  /** Name of an archive by its number. @default `shard-000000.tar` */
  readonly nameOf?: (shard: number) => string;
}

type Shard = DatasetIndex['shards'][number];

/** Lays samples into numbered archives, one after the other; the members of a sample stay together. */
export class ShardWriter {
  readonly #directory: string;
  readonly #maxSamples: number;
  readonly #maxBytes: number;
  readonly #nameOf: (shard: number) => string;
  readonly #shards: Shard[] = [];
  #tar: TarWriter | undefined;
  #samples = 0;

  constructor(
    directory: string,
    { maxSamples = 10_000, maxBytes = 256 << 20, nameOf = shardName }: ShardLimits = {},
  ) {
    this.#directory = directory;
    this.#maxSamples = maxSamples;
    this.#maxBytes = maxBytes;
    this.#nameOf = nameOf;
  }

  async add(members: readonly TarMember[]): Promise<void> {
    this.#tar ??= new TarWriter(join(this.#directory, this.#nameOf(this.#shards.length)));
    for (const member of members) await this.#tar.add(member);
    this.#samples++;
    if (this.#samples >= this.#maxSamples || this.#tar.bytes >= this.#maxBytes) await this.#endShard();
  }

  async #endShard(): Promise<void> {
    if (!this.#tar) return;
    await this.#tar.close();
    const path = this.#nameOf(this.#shards.length);
    this.#shards.push({ path, samples: this.#samples, bytes: this.#tar.bytes });
    this.#tar = undefined;
    this.#samples = 0;
  }

  /** Completes the last shard. @returns all shards in order. */
  async close(): Promise<readonly Shard[]> {
    await this.#endShard();
    return this.#shards;
  }

  async abort(): Promise<void> {
    await this.#tar?.abort();
  }
}
