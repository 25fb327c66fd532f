import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConvertError } from '../../schemas/errors.ts';
import type { DatasetTarget, DatasetWriter, EpisodeToWrite } from '../dataset-writer.ts';
import { type EpisodeNumbers, frameRanges } from '../episode-numbers.ts';
import type { ColumnNumbers, FrameColumn } from '../frame-columns.ts';
import { formName } from '../prepared/picture-form.ts';
import { TRAINING } from '../split.ts';
import {
  type ExampleValues,
  encodeExample,
  type LateBytes,
  MAX_EXAMPLE_BYTES,
  type PackedValues,
  type Part,
  packNumbers,
} from './example.ts';
import { featuresJson } from './features-json.ts';
import {
  DATASET_VERSION,
  datasetName,
  FEATURES_FILE,
  FIXED_LEAVES,
  INFO_FILE,
  type RldsLayout,
  rldsLayout,
  type SplitShards,
  shardNames,
} from './layout.ts';
import { TfRecordWriter } from './tfrecord.ts';

export interface RldsOptions {
  /** A shard is closed once it holds this many bytes. @default 256 MiB */
  readonly maxShardBytes?: number;
  /** 1 to 100, libjpeg's scale. @default 90 */
  readonly jpegQuality?: number;
}

export const JPEG_QUALITY = 90;

interface WrittenSplit extends SplitShards {
  readonly shardLengths: number[];
  numBytes: number;
}

/**
 * Writes an RLDS dataset as TFDS has it on disk. An episode is one record, whose length comes first: the sizes of
 * its pictures are known, so that they are read while it is written.
 */
export class RldsWriter implements DatasetWriter {
  readonly #target: DatasetTarget;
  readonly #layout: RldsLayout;
  readonly #maxShardBytes: number;
  readonly #pictures: string;
  readonly #folder: string;
  readonly #splits: WrittenSplit[] = [];
  #shard: TfRecordWriter | undefined;
  #frames = 0;

  /** @throws {ConvertError} when the contract cannot become an RLDS dataset. */
  constructor(
    target: DatasetTarget,
    { maxShardBytes = 256 << 20, jpegQuality = JPEG_QUALITY }: RldsOptions = {},
  ) {
    this.#target = target;
    this.#layout = rldsLayout(target.contract);
    this.#maxShardBytes = maxShardBytes;
    this.#pictures = formName({ kind: 'jpeg', quality: jpegQuality, frames: 'all' });
    this.#folder = join(target.directory, datasetName(target.contract), DATASET_VERSION);
  }

  async addEpisode(episode: EpisodeToWrite): Promise<void> {
    const { header, numbers } = episode;
    await mkdir(this.#folder, { recursive: true });
    const { parts, bytes } = encodeExample(this.#example(episode));
    if (bytes > MAX_EXAMPLE_BYTES) {
      throw new ConvertError(
        `Cannot write RLDS: an episode is one record of less than 2 GiB, but episode "${header.id}" of ` +
          `${numbers.frames} frames takes ${bytes} bytes. Make its pictures smaller, or use another format.`,
      );
    }
    await this.#write(header.split ?? TRAINING, parts);
    this.#frames += numbers.frames;
  }

  async #write(name: string, parts: readonly Part[]): Promise<void> {
    let split = this.#splits.at(-1);
    if (split?.name !== name) {
      await this.#closeShard();
      split = { name, shardLengths: [], numBytes: 0 };
      this.#splits.push(split);
    }
    if (!this.#shard) {
      this.#shard = await TfRecordWriter.create(this.#partFile(name, split.shardLengths.length));
      split.shardLengths.push(0);
    }
    split.numBytes += await this.#shard.write(parts);
    split.shardLengths[split.shardLengths.length - 1]!++;
    if (this.#shard.bytes >= this.#maxShardBytes) await this.#closeShard();
  }

  async finish(): Promise<number> {
    if (this.#frames === 0) throw new ConvertError('Cannot write RLDS: there is no episode.');
    await this.#closeShard();
    const { contract, contractDigest, version } = this.#target;
    const name = datasetName(contract);
    for (const split of this.#splits) {
      for (const [i, shard] of shardNames(name, split).entries()) {
        await rename(this.#partFile(split.name, i), join(this.#folder, shard));
      }
    }
    const { columns, pictures, texts } = this.#layout;
    await this.#writeJson(
      FEATURES_FILE,
      featuresJson([...columns, ...pictures, ...texts, ...Object.values(FIXED_LEAVES)]),
    );
    await this.#writeJson(INFO_FILE, {
      name,
      version: DATASET_VERSION,
      fileFormat: 'tfrecord',
      description:
        `${contract.robot.model}, ${contract.samples.tickRateHz} steps per second. Written by kinescribe ` +
        `${version} under the contract "${contract.name}" (${contractDigest}). A step whose valid/<name> is ` +
        'false holds NaN, or the picture shown before, under <name>.',
      splits: this.#splits.map((split) => ({
        name: split.name,
        shardLengths: split.shardLengths.map(String),
        numBytes: String(split.numBytes),
        filepathTemplate: '{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}',
      })),
    });
    return this.#frames;
  }

  async abort(): Promise<void> {
    await this.#shard?.close();
  }

  #example({
    header,
    numbers: episode,
    pictures,
  }: EpisodeToWrite): Map<string, ExampleValues | PackedValues> {
    const places = Array.from({ length: episode.frames }, (_, frame) => frame);
    const example = new Map<string, ExampleValues | PackedValues>();
    for (const { path, column } of this.#layout.columns) example.set(path, columnValues(column, episode));
    for (const { path, key } of this.#layout.pictures) {
      const values = places.map((frame) => pictures.picture(key, this.#pictures, frame));
      example.set(path, { kind: 'bytes', values });
    }
    for (const { path, key } of this.#layout.texts) {
      example.set(path, { kind: 'bytes', values: episode.features.get(key)!.texts!.map(text) });
    }
    const last = episode.frames - 1;
    const flags = (holds: (frame: number) => boolean): ExampleValues => ({
      kind: 'int',
      values: BigInt64Array.from(places, (frame) => (holds(frame) ? 1n : 0n)),
    });
    const fixed: Record<keyof typeof FIXED_LEAVES, ExampleValues> = {
      isFirst: flags((i) => i === 0),
      isLast: flags((i) => i === last),
      // A demonstration ends where its operator ended it: nothing is worth waiting for after that.
      isTerminal: flags((i) => i === last),
      discount: { kind: 'float', values: new Float32Array(episode.frames).fill(1) },
      instruction: { kind: 'bytes', values: places.map(() => text(header.task)) },
      episodeId: { kind: 'bytes', values: [text(header.id)] },
      recording: { kind: 'bytes', values: [text(header.digest)] },
      contract: { kind: 'bytes', values: [text(this.#target.contractDigest)] },
      version: { kind: 'bytes', values: [text(this.#target.version)] },
    };
    for (const name of Object.keys(FIXED_LEAVES) as (keyof typeof FIXED_LEAVES)[]) {
      example.set(FIXED_LEAVES[name].path, fixed[name]);
    }
    return example;
  }

  async #closeShard(): Promise<void> {
    await this.#shard?.close();
    this.#shard = undefined;
  }

  /** The name of a shard says how many there are, which only the end knows. */
  #partFile(split: string, shard: number): string {
    return join(this.#folder, `${split}-${shard}.part`);
  }

  async #writeJson(name: string, value: object): Promise<void> {
    await writeFile(join(this.#folder, name), `${JSON.stringify(value, undefined, 2)}\n`);
  }
}

/** The rows of a column; of an episode that does not fit into memory they are read when they are written. */
function columnValues(column: FrameColumn, episode: EpisodeNumbers): ExampleValues | PackedValues {
  const ranges = frameRanges(episode);
  if (ranges.length === 1) return numbers(column.rows(episode));
  const parts = ranges.map((range): LateBytes => {
    const pack = () => packNumbers(numbers(column.rows(episode, range)));
    // Whole numbers are as long as they are large: only packing them tells.
    return { byteLength: pack().byteLength, read: async () => pack() };
  });
  return { kind: 'packed', of: numbers(column.rows(episode, { from: 0, to: 1 })).kind, parts };
}

function numbers(rows: ColumnNumbers): Exclude<ExampleValues, { kind: 'bytes' }> {
  if (rows instanceof BigInt64Array) return { kind: 'int', values: rows };
  if (rows instanceof Float32Array) return { kind: 'float', values: rows };
  if (rows instanceof Float64Array) return { kind: 'float', values: Float32Array.from(rows) };
  // from() would hold them all as objects first: gigabytes of a minute of depth maps.
  const values = new BigInt64Array(rows.length);
  for (let i = 0; i < rows.length; i++) values[i] = BigInt(rows[i]!);
  return { kind: 'int', values };
}

function text(value: string): Uint8Array {
  return Buffer.from(value);
}
