import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contract, VectorFeature } from '../../schemas/contract.ts';
import { ConvertError } from '../../schemas/errors.ts';
import { encodeJpeg } from '../../schemas/image-codec.ts';
import { nanosToSecs } from '../../schemas/time.ts';
import type { DatasetTarget, DatasetWriter, EpisodeHeader } from '../dataset-writer.ts';
import { elementCount, type Frame, type FrameValue, slotCount } from '../frame.ts';
import { type Window, WindowCutter, type WindowStep } from '../windows.ts';
import {
  type DatasetIndex,
  type FeatureLayout,
  featureLayouts,
  INDEX_FILE,
  indexFeatures,
  pictureMember,
  SAMPLE_MEMBER,
  sampleKey,
} from './layout.ts';
import { packArray, packTimes, type SampleArray } from './sample-array.ts';
import { encodeSample, type SampleRecord } from './sample-codec.ts';
import { type ShardLimits, ShardWriter } from './shard-writer.ts';
import type { TarMember } from './tar.ts';

export interface WebDatasetOptions extends ShardLimits {
  /** 1 to 100, libjpeg's scale. @default 90 */
  readonly jpegQuality?: number;
}

/** Writes windows as WebDataset samples; see `layout.ts` for names and `sample-codec.ts` for the numbers. */
export class WebDatasetWriter implements DatasetWriter {
  readonly #target: DatasetTarget;
  readonly #layouts: readonly FeatureLayout[];
  readonly #shards: ShardWriter;
  readonly #windows: WindowCutter;
  readonly #jpegQuality: number | undefined;
  readonly #keyed = new Map<string, string>();
  /** Pictures of the frames that windows still refer to: each is compressed once. */
  readonly #pictures = new WeakMap<Frame, ReadonlyMap<string, Promise<Uint8Array>>>();
  #episode: EpisodeHeader | undefined;
  #samples = 0;

  constructor(target: DatasetTarget, { jpegQuality, ...limits }: WebDatasetOptions = {}) {
    this.#target = target;
    this.#layouts = featureLayouts(target.contract);
    this.#shards = new ShardWriter(target.directory, limits);
    this.#windows = new WindowCutter(target.contract.samples);
    this.#jpegQuality = jpegQuality;
  }

  async beginEpisode(episode: EpisodeHeader): Promise<void> {
    const prefix = sampleKey(episode.id, 0);
    const other = this.#keyed.get(prefix);
    if (other !== undefined) {
      throw new ConvertError(
        `Cannot write episode "${episode.id}" to shards: its samples would bear the same keys as those of ` +
          `"${other}", because keys hold letters, digits, "_" and "-" only. Rename one of them.`,
      );
    }
    this.#keyed.set(prefix, episode.id);
    this.#episode = episode;
  }

  async addFrame(frame: Frame): Promise<void> {
    if (isObserved(frame.index, this.#target.contract)) this.#pictures.set(frame, this.#compress(frame));
    const window = this.#windows.push(frame);
    if (window) await this.#write(window);
  }

  async endEpisode(): Promise<void> {
    for (const window of this.#windows.end()) await this.#write(window);
  }

  async finish(): Promise<number> {
    const { contract, tasks, directory } = this.#target;
    const { tickRateHz, observationSteps, horizon, stride, padding } = contract.samples;
    const index: DatasetIndex = {
      kinescribe: 1,
      name: contract.name,
      tickRateHz,
      observationSteps,
      horizon,
      stride,
      padding,
      tasks: [...tasks],
      features: indexFeatures(contract),
      samples: this.#samples,
      shards: [...(await this.#shards.close())],
    };
    await writeFile(join(directory, INDEX_FILE), `${JSON.stringify(index, null, 2)}\n`);
    return this.#samples;
  }

  abort(): Promise<void> {
    return this.#shards.abort();
  }

  /** Starts to compress the pictures of a frame; they are awaited when the first window with it is written. */
  #compress({ values }: Frame): ReadonlyMap<string, Promise<Uint8Array>> {
    const pictures = new Map<string, Promise<Uint8Array>>();
    for (const [key, value] of values) {
      if (value.kind !== 'image') continue;
      const { width, height } = value.feature;
      const picture = encodeJpeg({ pixels: value.pixels, width, height }, this.#jpegQuality);
      picture.catch(() => {}); // reported by the window that needs it
      pictures.set(key, picture);
    }
    return pictures;
  }

  async #write(window: Window): Promise<void> {
    const key = sampleKey(this.#episode!.id, window.anchor.index);
    const members: TarMember[] = [];
    for (const { key: feature, camera } of this.#layouts) {
      if (camera === undefined) continue;
      const steps = window.observations;
      for (const [i, { frame }] of steps.entries()) {
        const name = `${key}.${pictureMember(camera, i - steps.length + 1)}`;
        members.push({ name, data: await this.#pictures.get(frame)!.get(feature)! });
      }
    }
    members.push({ name: `${key}.${SAMPLE_MEMBER}`, data: encodeSample(this.#record(window)) });
    await this.#shards.add(members);
    this.#samples++;
  }

  #record({ anchor, observations, actions }: Window): SampleRecord {
    const steps = { observation: observations, action: actions };
    const values: Record<string, SampleArray> = {};
    const age: Record<string, SampleArray> = {};
    const valid: Record<string, SampleArray> = {};
    for (const { key, role, feature } of this.#layouts) {
      const timings = steps[role].map(({ frame }) => frame.values.get(key)!);
      const slots = slotCount(feature);
      const ages = timings.flatMap(ageSecs);
      age[key] = packArray('float32', [timings.length, ...(slots ? [slots] : [])], ages);
      valid[key] = flags(timings.map((timing) => timing.valid));
      if (feature.kind === 'vector') values[key] = stack(steps[role], key, feature);
    }
    const { contractDigest, version } = this.#target;
    const { id, digest, task } = this.#episode!;
    return {
      values,
      age,
      valid,
      padded: {
        observation: flags(observations.map(({ padded }) => padded)),
        action: flags(actions.map(({ padded }) => padded)),
      },
      time: { observation: times(observations), action: times(actions) },
      task,
      provenance: { episode: id, digest, frame: anchor.index, contract: contractDigest, version },
    };
  }
}

/** One age, or of a window one for each slot; NaN where there is no value. */
function ageSecs(value: FrameValue): readonly number[] {
  if (value.kind === 'vector' && value.window) return [...value.window.ageSecs];
  return [value.ageNanos === undefined ? Number.NaN : nanosToSecs(value.ageNanos)];
}

/** Whether a window shows the pictures of this frame. */
function isObserved(index: number, { samples: { stride, observationSteps } }: Contract): boolean {
  const nextAnchor = Math.ceil(index / stride) * stride;
  return nextAnchor - index < observationSteps;
}

/** The values of a feature at all steps, [steps, ...shape]. */
function stack(steps: readonly WindowStep[], key: string, feature: VectorFeature): SampleArray {
  const width = elementCount(feature);
  const elements = new Float64Array(steps.length * width);
  for (const [i, { frame }] of steps.entries()) {
    const value = frame.values.get(key);
    if (value?.kind !== 'vector') throw new TypeError(`frame ${frame.index} has no vector "${key}"`);
    elements.set(value.elements, i * width);
  }
  return packArray(feature.dtype, [steps.length, ...feature.shape], elements);
}

function flags(each: readonly boolean[]): SampleArray {
  return packArray('bool', [each.length], each.map(Number));
}

function times(steps: readonly WindowStep[]): SampleArray {
  return packTimes(steps.map(({ frame }) => frame.tickTime));
}
