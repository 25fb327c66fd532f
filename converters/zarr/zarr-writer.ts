import { ConvertError } from '../../schemas/errors.ts';
import type { DatasetTarget, DatasetWriter, EpisodeHeader, EpisodeToWrite } from '../dataset-writer.ts';
import { frameRanges } from '../episode-numbers.ts';
import { rowShape } from '../frame-columns.ts';
import { type ArrayColumn, CHUNK_BYTES, EPISODE_ENDS, zarrLayout } from './layout.ts';
import { jsonBytes, ZarrArrayWriter } from './zarr-array.ts';
import type { ZarrSink } from './zarr-store.ts';

interface Series<T> {
  readonly writer: ZarrArrayWriter;
  readonly from: T;
}

/**
 * Writes a replay buffer in Zarr 2: all episodes one after the other, a chunk for every picture. Nothing but
 * the chunks that are being filled is held in memory.
 */
export class ZarrWriter implements DatasetWriter {
  readonly #target: DatasetTarget;
  readonly #sink: ZarrSink;
  readonly #columns: readonly Series<ArrayColumn['column']>[];
  /** From a feature's key. */
  readonly #pictures: readonly Series<string>[];
  readonly #episodes: EpisodeHeader[] = [];
  readonly #ends: bigint[] = [];
  #frames = 0;

  /** @throws {ConvertError} when the contract cannot become a replay buffer. */
  constructor(target: DatasetTarget, sink: ZarrSink) {
    const { columns, pictures } = zarrLayout(target.contract);
    this.#target = target;
    this.#sink = sink;
    this.#columns = columns.map(({ name, column }) => {
      const { dtype } = column;
      const shape = rowShape(column);
      const rowBytes = shape.reduce((product, n) => product * n, 8);
      const rowsPerChunk = Math.max(1, Math.floor(CHUNK_BYTES / rowBytes));
      const options = { path: `data/${name}`, dtype, rowShape: shape, rowsPerChunk };
      return { writer: new ZarrArrayWriter(sink, options), from: column };
    });
    this.#pictures = pictures.map(({ name, key, shape }) => {
      const options = { path: `data/${name}`, dtype: 'uint8', rowShape: shape, rowsPerChunk: 1 } as const;
      return { writer: new ZarrArrayWriter(sink, options), from: key };
    });
  }

  async addEpisode({ header, numbers, pictures }: EpisodeToWrite): Promise<void> {
    const ranges = frameRanges(numbers);
    for (const { writer, from } of this.#columns) {
      for (const range of ranges) await writer.append(from.rows(numbers, range));
    }
    for (const { writer, from } of this.#pictures) {
      for (let frame = 0; frame < numbers.frames; frame++) {
        await writer.appendPacked(await pictures.picture(from, 'pixels', frame).read());
      }
    }
    this.#frames += numbers.frames;
    this.#ends.push(BigInt(this.#frames));
    this.#episodes.push(header);
  }

  async finish(): Promise<number> {
    if (this.#frames === 0) throw new ConvertError('Cannot write zarr: there is no episode.');
    const rowsPerChunk = this.#ends.length;
    const ends = new ZarrArrayWriter(this.#sink, {
      path: EPISODE_ENDS,
      dtype: 'int64',
      rowShape: [],
      rowsPerChunk,
    });
    await ends.append(BigInt64Array.from(this.#ends));
    for (const { writer } of [...this.#columns, ...this.#pictures, { writer: ends }]) await writer.close();
    for (const group of ['', 'data/', 'meta/']) {
      await this.#sink.set(`${group}.zgroup`, jsonBytes({ zarr_format: 2 }));
    }
    const { contract, contractDigest, version } = this.#target;
    await this.#sink.set(
      '.zattrs',
      jsonBytes({
        kinescribe: version,
        contract: { name: contract.name, digest: contractDigest },
        robot: contract.robot.model,
        tickRateHz: contract.samples.tickRateHz,
        features: Object.fromEntries(
          [...this.#columns].flatMap(({ writer, from }) =>
            from.content === 'value' ? [[writer.path, { key: from.key, names: from.names }]] : [],
          ),
        ),
        episodes: this.#episodes.map(({ id, digest, task, split }) => ({
          id,
          recording: digest,
          task,
          ...(split !== undefined && { split }),
        })),
      }),
    );
    await this.#sink.close();
    return this.#frames;
  }

  abort(): Promise<void> {
    return this.#sink.abort();
  }
}
