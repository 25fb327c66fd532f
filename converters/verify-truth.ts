import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Contract } from '../schemas/contract.ts';
import type { ManifestEpisode } from '../schemas/dataset-manifest.ts';
import type { ColumnReading } from './dataset-reading.ts';
import { isStored, NumbersBuilder } from './episode-numbers.ts';
import { rowReader } from './frame-columns.ts';
import { episodesOf, readFrames } from './prepared/prepare-episode.ts';
import type { EpisodeFacts } from './prepared/prepared-episode.ts';
import { type PictureTruth, SourcePictures } from './verify-pictures.ts';

/** An episode as its recording has it. */
export interface Truth extends PictureTruth {
  readonly facts: EpisodeFacts;
  /** What a column has to hold at a frame; made once for all parts of an episode. */
  rowsOf(column: ColumnReading['column']): ReturnType<typeof rowReader>;
}

/** What the recordings give, one episode at a time. */
export class Truths implements AsyncDisposable {
  readonly #contract: Contract;
  readonly #files: ReadonlyMap<string, string>;
  /** Of the latest episode's features that are too large for memory. */
  #directory: string | undefined;
  #latest: { readonly id: string; readonly truth: Truth | string } | undefined;

  /** @param files of recordings, by digest. */
  constructor(contract: Contract, files: ReadonlyMap<string, string>) {
    this.#contract = contract;
    this.#files = files;
  }

  /** @returns a fault where the recording is not at hand. */
  async of(said: ManifestEpisode): Promise<Truth | string> {
    if (this.#latest?.id !== said.id) this.#latest = { id: said.id, truth: await this.#read(said) };
    return this.#latest.truth;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#directory !== undefined) await rm(this.#directory, { recursive: true, force: true });
    this.#directory = undefined;
  }

  async #read({ id, digest, file: name, videos = [] }: ManifestEpisode): Promise<Truth | string> {
    const [contract, file] = [this.#contract, this.#files.get(digest)];
    if (!file) return `episode "${id}": its recording "${name}" (${digest}) is not among those given.`;
    const episode = (await episodesOf(file, contract)).find((each) => each.id === id);
    if (!episode) return `episode "${id}": the labels of "${file}" do not keep it any more.`;
    await this[Symbol.asyncDispose]();
    if (Object.values(contract.features).some(isStored)) {
      this.#directory = await mkdtemp(join(tmpdir(), 'kinescribe-'));
    }
    const builder = new NumbersBuilder(contract, this.#directory);
    const factsOf = await readFrames(file, contract, {
      digest,
      episode,
      // Only decoding tells which pictures of video are damaged.
      wantsPicture: () => false,
      onFrame: (frame) => builder.add(frame),
    });
    const numbers = builder.build();
    const known = new Map<ColumnReading['column'], ReturnType<typeof rowReader>>();
    const rowsOf: Truth['rowsOf'] = (column) => {
      const rows = known.get(column) ?? rowReader(column, numbers);
      known.set(column, rows);
      return rows;
    };
    const sources = new SourcePictures(file, contract, numbers);
    const copied = new Set(videos.flatMap(({ feature, made }) => (made === 'copied' ? [feature] : [])));
    return { file, contract, facts: factsOf(numbers), numbers, rowsOf, sources, copied };
  }
}
