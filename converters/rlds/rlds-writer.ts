import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConvertError } from '../../schemas/errors.ts';
import { encodeJpeg } from '../../schemas/image-codec.ts';
import type { DatasetTarget, DatasetWriter, EpisodeHeader } from '../dataset-writer.ts';
import type { Frame } from '../frame.ts';
import { type ColumnNumbers, type FrameNumbers, numbersOf } from '../frame-columns.ts';
import { TRAINING } from '../split.ts';
import { type ExampleValues, encodeExample, MAX_EXAMPLE_BYTES } from './example.ts';
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

interface WrittenSplit extends SplitShards {
  readonly shardLengths: number[];
  numBytes: number;
}

interface OpenEpisode {
  readonly header: EpisodeHeader;
  readonly frames: FrameNumbers[];
  /** Compressed, by feature. */
  readonly pictures: ReadonlyMap<string, Uint8Array[]>;
}

/**
 * Writes an RLDS dataset as TFDS has it on disk. An episode is one record, whose length and checksums come
 * first: its numbers and its compressed pictures are held in memory.
 */
export class RldsWriter implements DatasetWriter {
  readonly #target: DatasetTarget;
  readonly #layout: RldsLayout;
  readonly #maxShardBytes: number;
  readonly #jpegQuality: number | undefined;
  readonly #folder: string;
  readonly #splits: WrittenSplit[] = [];
  #shard: TfRecordWriter | undefined;
  #episode: OpenEpisode | undefined;
  #frames = 0;

  /** @throws {ConvertError} when the contract cannot become an RLDS dataset. */
  constructor(target: DatasetTarget, { maxShardBytes = 256 << 20, jpegQuality }: RldsOptions = {}) {
    this.#target = target;
    this.#layout = rldsLayout(target.contract);
    this.#maxShardBytes = maxShardBytes;
    this.#jpegQuality = jpegQuality;
    this.#folder = join(target.directory, datasetName(target.contract), DATASET_VERSION);
  }

  async beginEpisode(header: EpisodeHeader): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const pictures = new Map(this.#layout.pictures.map(({ key }) => [key, []]));
    this.#episode = { header, frames: [], pictures };
  }

  async addFrame(frame: Frame): Promise<void> {
    const { frames, pictures } = this.#episode!;
    frames.push(numbersOf(frame));
    await Promise.all(
      [...pictures].map(async ([key, compressed]) => {
        const value = frame.values.get(key);
        if (value?.kind !== 'image') throw new TypeError(`frame ${frame.index} has no picture "${key}"`);
        const { width, height } = value.feature;
        compressed.push(await encodeJpeg({ pixels: value.pixels, width, height }, this.#jpegQuality));
      }),
    );
  }

  async endEpisode(): Promise<void> {
    const { header, frames } = this.#episode!;
    if (frames.length === 0) {
      throw new ConvertError(`Cannot write RLDS: episode "${header.id}" has no frames. Leave it out.`);
    }
    const { parts, bytes } = encodeExample(this.#example(this.#episode!));
    if (bytes > MAX_EXAMPLE_BYTES) {
      throw new ConvertError(
        `Cannot write RLDS: an episode is one record of less than 2 GiB, but episode "${header.id}" of ` +
          `${frames.length} frames takes ${bytes} bytes. Make its pictures smaller, or use another format.`,
      );
    }
    await this.#write(header.split ?? TRAINING, parts);
    this.#frames += frames.length;
    this.#episode = undefined;
  }

  async #write(name: string, parts: readonly Uint8Array[]): Promise<void> {
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
    const { columns, pictures } = this.#layout;
    await this.#writeJson(
      FEATURES_FILE,
      featuresJson([...columns, ...pictures, ...Object.values(FIXED_LEAVES)]),
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

  #example({ header, frames, pictures }: OpenEpisode): Map<string, ExampleValues> {
    const example = new Map<string, ExampleValues>();
    for (const { path, column } of this.#layout.columns) example.set(path, numbers(column.rows(frames)));
    for (const { path, key } of this.#layout.pictures) {
      example.set(path, { kind: 'bytes', values: pictures.get(key)! });
    }
    const last = frames.length - 1;
    const flags = (holds: (frame: number) => boolean): ExampleValues => ({
      kind: 'int',
      values: BigInt64Array.from(frames, (_, i) => (holds(i) ? 1n : 0n)),
    });
    const text = (value: string): Uint8Array => Buffer.from(value);
    const fixed: Record<keyof typeof FIXED_LEAVES, ExampleValues> = {
      isFirst: flags((i) => i === 0),
      isLast: flags((i) => i === last),
      // A demonstration ends where its operator ended it: nothing is worth waiting for after that.
      isTerminal: flags((i) => i === last),
      discount: { kind: 'float', values: new Float32Array(frames.length).fill(1) },
      instruction: { kind: 'bytes', values: frames.map(() => text(header.task)) },
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

function numbers(rows: ColumnNumbers): ExampleValues {
  if (rows instanceof BigInt64Array) return { kind: 'int', values: rows };
  if (rows instanceof Uint8Array) return { kind: 'int', values: BigInt64Array.from(rows, BigInt) };
  return { kind: 'float', values: rows instanceof Float32Array ? rows : Float32Array.from(rows) };
}
