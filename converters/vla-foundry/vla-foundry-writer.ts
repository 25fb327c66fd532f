import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConvertError } from '../../schemas/errors.ts';
import type { DatasetTarget, DatasetWriter, EpisodeHeader, EpisodeToWrite } from '../dataset-writer.ts';
import {
  type FrameColumn,
  frameColumns,
  imageFeatures,
  refuseText,
  rowReader,
  rowShape,
} from '../frame-columns.ts';
import { encodeNpz, type NpyArray } from '../npz.ts';
import { formName } from '../prepared/picture-form.ts';
import { TRAINING } from '../split.ts';
import { sampleKey } from '../webdataset/layout.ts';
import { type ShardLimits, ShardWriter } from '../webdataset/shard-writer.ts';
import type { TarMember } from '../webdataset/tar.ts';
import {
  arrayName,
  CONFIG_FILE,
  cameras,
  INSTRUCTIONS,
  LOWDIM,
  MANIFEST_LINES,
  METADATA,
  METADATA_FILE,
  NPY_TYPES,
  pictureMember,
  type SampleMetadata,
  SHARDS,
  STATS_FILE,
  type Steps,
  shardName,
  spanOf,
  windowSteps,
} from './layout.ts';
import { StepStatistics } from './step-statistics.ts';

export const JPEG_QUALITY = 90;

/**
 * Writes windows as TRI's vla_foundry reads them: every feature over all steps from the first observed frame to
 * the last acted in. Masks are those of its own converters: the anchor belongs to the future, padded steps to
 * neither. Beside each feature lie `valid.<feature>` and `age.<feature>`, beside all `tick_time`.
 */
export class VlaFoundryWriter implements DatasetWriter {
  readonly #target: DatasetTarget;
  readonly #cameras: ReadonlyMap<string, string>;
  readonly #columns: readonly FrameColumn[];
  readonly #shards: ShardWriter;
  readonly #directory: string;
  readonly #statistics = new Map<string, StepStatistics>();
  #samples = 0;

  /** @throws {ConvertError} when the contract has no camera: the trainer drops samples without a picture. */
  constructor(target: DatasetTarget, limits: ShardLimits = {}) {
    const { contract } = target;
    this.#target = target;
    refuseText(contract, 'vla_foundry');
    this.#cameras = cameras(contract);
    if (this.#cameras.size === 0) {
      throw new ConvertError(
        'Cannot write vla_foundry: its trainer drops samples without a picture, and the contract has no image ' +
          'feature. Add one.',
      );
    }
    this.#columns = frameColumns(contract);
    this.#directory = join(target.directory, SHARDS);
    this.#shards = new ShardWriter(this.#directory, {
      maxSamples: 1000,
      ...limits,
      nameOf: (shard) => `${shardName(shard)}.tar`,
    });
  }

  async addEpisode(episode: EpisodeToWrite): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    const { numbers } = episode;
    const rows: Rows = new Map(this.#columns.map((column) => [column, rowReader(column, numbers)]));
    for (const steps of windowSteps(numbers.frames, this.#target.contract.samples)) {
      await this.#write(episode, { steps, rows });
    }
  }

  async finish(): Promise<number> {
    const shards = await this.#shards.close();
    const lines = shards.map(({ path, samples }) =>
      JSON.stringify({ shard: path.slice(0, -'.tar'.length), num_sequences: samples }),
    );
    await this.#writeFile(MANIFEST_LINES, `${lines.join('\n')}\n`);
    const statistics = [...this.#statistics].map(([key, each]) => [key, each.json()]);
    await this.#writeFile(STATS_FILE, `${JSON.stringify(Object.fromEntries(statistics))}\n`);
    const { contract, version } = this.#target;
    const { past, future } = spanOf(contract.samples);
    const names = [...this.#cameras.values()];
    const config = {
      ...{ type: 'kinescribe', past_lowdim_steps: past, future_lowdim_steps: future },
      ...{ image_indices: this.#offsets(), stride: contract.samples.stride, camera_names: names },
      ...{ jpeg_quality: JPEG_QUALITY, tick_rate_hz: contract.samples.tickRateHz, padding: 'copy' },
    };
    // JSON is YAML.
    await this.#writeFile(CONFIG_FILE, `${JSON.stringify(config, undefined, 2)}\n`);
    const metadata = {
      total_samples: this.#samples,
      num_shards: shards.length,
      camera_names: names,
      version,
    };
    await this.#writeFile(METADATA_FILE, `${JSON.stringify(metadata, undefined, 2)}\n`);
    return this.#samples;
  }

  abort(): Promise<void> {
    return this.#shards.abort();
  }

  async #write(
    { header, numbers, pictures }: EpisodeToWrite,
    { steps, rows }: { readonly steps: Steps; readonly rows: Rows },
  ): Promise<void> {
    const key = sampleKey(header.id, steps.anchor);
    const form = formName({ kind: 'jpeg', quality: JPEG_QUALITY, frames: 'observed' });
    const members: TarMember[] = [];
    for (const [feature, camera] of this.#cameras) {
      for (const offset of this.#offsets()) {
        const frame = Math.max(0, steps.anchor + offset);
        const data = await pictures.picture(feature, form, frame).read();
        members.push({ name: `${key}.${pictureMember(camera, offset)}`, data });
      }
    }
    if ((header.split ?? TRAINING) === TRAINING) this.#count(steps, rows);
    const json = (value: object) => Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
    const metadata = this.#metadata(steps, { key, header, frames: numbers.frames });
    members.push(
      { name: `${key}.${LOWDIM}`, data: encodeNpz(this.#lowdim(steps, rows)) },
      { name: `${key}.${METADATA}`, data: json(metadata) },
      { name: `${key}.${INSTRUCTIONS}`, data: json({ original: [header.task] }) },
    );
    await this.#shards.add(members);
    this.#samples++;
  }

  #lowdim({ frames, real }: Steps, rows: Rows): Map<string, NpyArray> {
    const arrays = new Map<string, NpyArray>();
    for (const [column, row] of rows) {
      const shape = [frames.length, ...rowShape(column)];
      arrays.set(arrayName(column), { type: NPY_TYPES[column.dtype], shape, data: gather(row, frames) });
    }
    const { past } = spanOf(this.#target.contract.samples);
    const masks = { past_mask: (step: number) => step < past, future_mask: (step: number) => step >= past };
    for (const [name, holds] of Object.entries(masks)) {
      const data = Uint8Array.from(real, (isReal, step) => Number(isReal && holds(step)));
      arrays.set(name, { type: '|b1', shape: [real.length], data });
    }
    return arrays;
  }

  /** Adds the valid values of a window to the statistics. */
  #count({ frames, real }: Steps, rows: Rows): void {
    const valid = new Map(
      [...rows].flatMap(([{ content, key }, row]) => (content === 'valid' ? [[key, row] as const] : [])),
    );
    for (const [{ content, key, shape }, row] of rows) {
      if (content !== 'value') continue;
      const width = shape.reduce((product, n) => product * n, 1);
      const statistics = this.#statistics.get(key) ?? StepStatistics.of(width, frames.length);
      if (!statistics) continue;
      this.#statistics.set(key, statistics);
      const numbers = frames.flatMap((frame) => Array.from<number | bigint, number>(row(frame), Number));
      statistics.add(
        numbers,
        frames.map((frame, step) => real[step]! && valid.get(key)!(frame)[0] === 1),
      );
    }
  }

  #metadata(
    { anchor, frames, real }: Steps,
    { key, header, frames: length }: { key: string; header: EpisodeHeader; frames: number },
  ): SampleMetadata {
    const { contract, contractDigest, version } = this.#target;
    const { past } = spanOf(contract.samples);
    const sizes = imageFeatures(contract).map(
      ([feature, { width, height }]) => [this.#cameras.get(feature)!, [width, height]] as const,
    );
    return {
      episode_id: header.id,
      sample_id: key,
      anchor_timestep: anchor,
      anchor_relative_idx: past,
      image_timesteps: this.#offsets().map((offset) => anchor + offset),
      lowdim_start_timestep: frames[0]!,
      lowdim_end_timestep: frames.at(-1)!,
      past_padding: real.slice(0, past).filter((isReal) => !isReal).length,
      future_padding: real.slice(past).filter((isReal) => !isReal).length,
      camera_names: [...this.#cameras.values()],
      original_episode_length: length,
      is_padded: real.includes(false),
      original_image_sizes: Object.fromEntries(sizes.map(([camera, size]) => [camera, [...size]])),
      kinescribe: { recording: header.digest, contract: contractDigest, version },
    };
  }

  /** Of the pictures, in frames from the anchor. */
  #offsets(): readonly number[] {
    const { past } = spanOf(this.#target.contract.samples);
    return Array.from({ length: past + 1 }, (_, i) => i - past);
  }

  async #writeFile(name: string, text: string): Promise<void> {
    await writeFile(join(this.#directory, name), text);
  }
}

/** The columns of an episode, each in the type it is stored in. */
type Rows = ReadonlyMap<FrameColumn, RowReader>;
type RowReader = ReturnType<typeof rowReader>;

/** The rows of some frames, as bytes. */
function gather(row: RowReader, frames: readonly number[]): Uint8Array {
  const rows = frames.map((frame) => {
    const { buffer, byteOffset, byteLength } = row(frame);
    return new Uint8Array(buffer, byteOffset, byteLength);
  });
  return Buffer.concat(rows);
}
