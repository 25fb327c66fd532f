import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConvertError } from '../../schemas/errors.ts';
import type { PreparedAudio } from '../audio/prepared-audio.ts';
import type { DatasetTarget, DatasetWriter, EpisodeToWrite } from '../dataset-writer.ts';
import { type FrameColumn, frameColumns, rowReader, rowShape, textFeatures } from '../frame-columns.ts';
import { formName } from '../prepared/picture-form.ts';
import { episodeWindows, type Window, type WindowStep } from '../windows.ts';
import {
  type DatasetIndex,
  type FeatureLayout,
  featureLayouts,
  heardRange,
  INDEX_FILE,
  indexAudio,
  indexFeatures,
  pictureMember,
  roleOf,
  SAMPLE_MEMBER,
  sampleKey,
  soundMember,
} from './layout.ts';
import { type ArrayType, packTimes, SampleArray } from './sample-array.ts';
import { encodeSample, type SampleRecord } from './sample-codec.ts';
import { type ShardLimits, ShardWriter } from './shard-writer.ts';
import type { TarMember } from './tar.ts';

export interface WebDatasetOptions extends ShardLimits {
  /** 1 to 100, libjpeg's scale. @default 90 */
  readonly jpegQuality?: number;
}

export const JPEG_QUALITY = 90;

/** The frames of an episode as the samples hold them: each feature's rows in the type they are stored in. */
type Columns = ReadonlyMap<FrameColumn, RowReader>;
type RowReader = ReturnType<typeof rowReader>;

/** Writes windows as WebDataset samples; see `layout.ts` for names and `sample-codec.ts` for the numbers. */
export class WebDatasetWriter implements DatasetWriter {
  readonly #target: DatasetTarget;
  readonly #layouts: readonly FeatureLayout[];
  readonly #columns: readonly FrameColumn[];
  readonly #shards: ShardWriter;
  readonly #pictures: string;
  readonly #keyed = new Map<string, string>();
  #samples = 0;

  constructor(target: DatasetTarget, { jpegQuality = JPEG_QUALITY, ...limits }: WebDatasetOptions = {}) {
    this.#target = target;
    this.#layouts = featureLayouts(target.contract);
    this.#columns = frameColumns(target.contract);
    this.#shards = new ShardWriter(target.directory, limits);
    this.#pictures = formName({ kind: 'jpeg', quality: jpegQuality, frames: 'observed' });
  }

  async addEpisode(episode: EpisodeToWrite): Promise<void> {
    const { header, numbers } = episode;
    this.#claimKeys(header.id);
    const columns = new Map(this.#columns.map((column) => [column, rowReader(column, numbers)]));
    for (const window of episodeWindows(numbers.frames, this.#target.contract.samples)) {
      const key = sampleKey(header.id, window.anchor.index);
      const members = await this.#pictureMembers(key, window, episode);
      const sounds = await this.#soundMembers(key, window, episode);
      const record = encodeSample(this.#record(window, episode, columns));
      await this.#shards.add([...members, ...sounds, { name: `${key}.${SAMPLE_MEMBER}`, data: record }]);
      this.#samples++;
    }
  }

  async finish(): Promise<number> {
    const { contract, tasks, directory } = this.#target;
    const { tickRateHz, observationSteps, horizon, stride, padding, actionsFrom } = contract.samples;
    const index: DatasetIndex = {
      kinescribe: 1,
      name: contract.name,
      tickRateHz,
      observationSteps,
      horizon,
      stride,
      padding,
      actionsFrom,
      tasks: [...tasks],
      features: indexFeatures(contract),
      ...(contract.audio && { audio: indexAudio(contract) }),
      samples: this.#samples,
      shards: [...(await this.#shards.close())],
    };
    await writeFile(join(directory, INDEX_FILE), `${JSON.stringify(index, null, 2)}\n`);
    return this.#samples;
  }

  abort(): Promise<void> {
    return this.#shards.abort();
  }

  /** @throws {ConvertError} when two episodes would have the same keys. */
  #claimKeys(id: string): void {
    const prefix = sampleKey(id, 0);
    const other = this.#keyed.get(prefix);
    if (other !== undefined) {
      throw new ConvertError(
        `Cannot write episode "${id}" to shards: its samples would bear the same keys as those of ` +
          `"${other}", because keys hold letters, digits, "_" and "-" only. Rename one of them.`,
      );
    }
    this.#keyed.set(prefix, id);
  }

  async #pictureMembers(
    key: string,
    { observations }: Window,
    { pictures }: EpisodeToWrite,
  ): Promise<TarMember[]> {
    const members: TarMember[] = [];
    for (const { key: feature, camera } of this.#layouts) {
      if (camera === undefined) continue;
      for (const [i, { frame }] of observations.entries()) {
        const name = `${key}.${pictureMember(camera, i - observations.length + 1)}`;
        members.push({ name, data: await pictures.picture(feature, this.#pictures, frame.index).read() });
      }
    }
    return members;
  }

  async #soundMembers(key: string, { anchor }: Window, { audio = [] }: EpisodeToWrite): Promise<TarMember[]> {
    const { samples } = this.#target.contract;
    const members: TarMember[] = [];
    for (const each of audio) {
      const { name, track } = each.record;
      const data = await each.slice(heardRange(anchor.index, track, samples));
      members.push({ name: `${key}.${soundMember(name)}`, data });
    }
    return members;
  }

  #silences({ anchor }: Window, audio: readonly PreparedAudio[]): Record<string, SampleArray> {
    const { samples } = this.#target.contract;
    const silences = audio.map((each) => {
      const ranges = each.silencesIn(heardRange(anchor.index, each.record.track, samples));
      const numbers = BigInt64Array.from(
        ranges.flatMap(({ from, to }) => [from, to]),
        BigInt,
      );
      const array = new SampleArray('int64', [ranges.length, 2], new Uint8Array(numbers.buffer));
      return [each.record.name, array] as const;
    });
    return Object.fromEntries(silences);
  }

  #record(window: Window, { header, numbers, audio = [] }: EpisodeToWrite, columns: Columns): SampleRecord {
    const { anchor, observations, actions } = window;
    const steps = { observation: observations, action: actions };
    const gathered = { values: {}, age: {}, valid: {} } as Record<
      'values' | 'age' | 'valid',
      Record<string, SampleArray>
    >;
    for (const [column, row] of columns) {
      const { content, key, dtype } = column;
      if (content === 'tickTime') continue;
      const group = content === 'value' ? 'values' : content;
      gathered[group][key] = stack(row, { steps: steps[roleOf(key)], shape: rowShape(column), dtype });
    }
    const { contract, contractDigest, version } = this.#target;
    const { id, digest, task } = header;
    const texts = textFeatures(contract).map((key) => {
      const all = numbers.features.get(key)!.texts!;
      return [key, steps[roleOf(key)].map(({ frame }) => all[frame.index]!)] as const;
    });
    const times = (of: readonly WindowStep[]) =>
      packTimes(of.map(({ frame }) => numbers.tickTimes[frame.index]!));
    return {
      ...gathered,
      texts: Object.fromEntries(texts),
      padded: {
        observation: flags(observations.map(({ padded }) => padded)),
        action: flags(actions.map(({ padded }) => padded)),
      },
      time: { observation: times(observations), action: times(actions) },
      ...(audio.length > 0 && { silences: this.#silences(window, audio) }),
      task,
      provenance: { episode: id, digest, frame: anchor.index, contract: contractDigest, version },
    };
  }
}

/** The rows of a column at all steps, [steps, ...shape]. */
function stack(
  row: RowReader,
  {
    steps,
    shape,
    dtype,
  }: { readonly steps: readonly WindowStep[]; readonly shape: readonly number[]; readonly dtype: ArrayType },
): SampleArray {
  const rows = steps.map(({ frame }) => bytesOf(row(frame.index)));
  return new SampleArray(dtype, [steps.length, ...shape], Buffer.concat(rows));
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function flags(each: readonly boolean[]): SampleArray {
  return new SampleArray('bool', [each.length], Uint8Array.from(each, Number));
}
