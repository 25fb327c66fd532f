import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contract } from '../../schemas/contract.ts';
import { DatasetError } from '../../schemas/errors.ts';
import { decodeRgb } from '../../schemas/image-codec.ts';
import type { ColumnReading, EpisodeReading, PictureReading } from '../dataset-reading.ts';
import { type FrameColumn, frameColumns, textFeatures } from '../frame-columns.ts';
import { episodeWindows, type Window } from '../windows.ts';
import { featureLayouts, INDEX_FILE, indexSchema, pictureMember, roleOf, SAMPLE_MEMBER } from './layout.ts';
import type { SampleArray } from './sample-array.ts';
import { decodeSample, type SampleRecord } from './sample-codec.ts';
import { type StoredSample, samplesOf } from './verify-shards.ts';

/** Reads shards back, a sample at a time: each tells the frames of its window. */
export async function* readWebDataset(directory: string, contract: Contract): AsyncGenerator<EpisodeReading> {
  const { shards } = indexSchema.parse(JSON.parse(await readFile(join(directory, INDEX_FILE), 'utf8')));
  const windows = new EpisodeWindows(contract);
  const columns = frameColumns(contract);
  for (const { path } of shards) {
    for await (const sample of samplesOf(join(directory, path))) {
      yield readSample(sample, { contract, columns, windows, place: `${path}, sample "${sample.key}"` });
    }
  }
}

interface Sampled {
  readonly contract: Contract;
  readonly columns: readonly FrameColumn[];
  readonly windows: EpisodeWindows;
  readonly place: string;
}

function readSample(sample: StoredSample, { contract, columns, windows, place }: Sampled): EpisodeReading {
  const members = new Map(sample.members.map(({ name, data }) => [name, data]));
  const record = decodeSample(memberOf(members, SAMPLE_MEMBER, place));
  const { episode, digest, frame: anchor } = record.provenance;
  return {
    id: episode,
    recording: digest,
    columns: columns.flatMap((column) =>
      columnArrays(column, record).map(
        ({ name, role, array }): ColumnReading => ({
          place: `${place}, ${name}`,
          column,
          values: numbersOf(array),
          frames: (frames) => windows.steps(frames, { anchor, role }),
        }),
      ),
    ),
    texts: [
      ...textFeatures(contract).map((key) => ({
        ...{ place: `${place}, texts ${key}`, key },
        values: record.texts[key] ?? [],
        frames: (frames: number) => windows.steps(frames, { anchor, role: roleOf(key) }),
      })),
      { place: `${place}, task`, values: [record.task], frames: () => [0] },
    ],
    window: { place, anchor, anchors: (frames) => windows.anchors(frames) },
    pictures: (frames) => readPictures(frames, { contract, anchor, members, place }),
  };
}

type Role = 'observation' | 'action';

interface ColumnArray {
  readonly name: string;
  readonly role: Role;
  readonly array: SampleArray;
}

function columnArrays({ content, key }: FrameColumn, record: SampleRecord): ColumnArray[] {
  if (content === 'tickTime') {
    const roles = ['observation', 'action'] as const;
    return roles.map((role) => ({ name: `time ${role}`, role, array: record.time[role] }));
  }
  const group = content === 'value' ? 'values' : content;
  const array = record[group][key];
  return array ? [{ name: `${group} ${key}`, role: roleOf(key), array }] : [];
}

function numbersOf({ dtype, data }: SampleArray): ArrayLike<number | bigint> {
  const { buffer } = Uint8Array.from(data); // on its own, so that wide elements are aligned
  const types = {
    ...{ float32: Float32Array, float64: Float64Array, int64: BigInt64Array },
    ...{ int16: Int16Array, uint16: Uint16Array, uint8: Uint8Array, bool: Uint8Array },
  };
  return new types[dtype](buffer);
}

/** The windows of an episode by their anchors; samples of one episode follow each other. */
class EpisodeWindows {
  readonly #contract: Contract;
  #frames = -1;
  #byAnchor = new Map<number, Window>();

  constructor(contract: Contract) {
    this.#contract = contract;
  }

  /** Frames of the steps of a window; none where an episode of so many frames has no such window. */
  steps(
    frames: number,
    { anchor, role }: { readonly anchor: number; readonly role: Role },
  ): readonly number[] {
    const window = this.#of(frames).get(anchor);
    const steps = role === 'action' ? window?.actions : window?.observations;
    return steps?.map(({ frame }) => frame.index) ?? [];
  }

  anchors(frames: number): readonly number[] {
    return [...this.#of(frames).keys()];
  }

  #of(frames: number): ReadonlyMap<number, Window> {
    if (this.#frames !== frames) {
      this.#frames = frames;
      const windows = episodeWindows(frames, this.#contract.samples);
      this.#byAnchor = new Map(windows.map((window) => [window.anchor.index, window]));
    }
    return this.#byAnchor;
  }
}

async function* readPictures(
  frames: readonly number[],
  {
    contract,
    anchor,
    members,
    place,
  }: Pick<Sampled, 'contract' | 'place'> & {
    readonly anchor: number;
    readonly members: ReadonlyMap<string, Uint8Array>;
  },
): AsyncGenerator<PictureReading> {
  const { observationSteps } = contract.samples;
  for (const { key, camera } of featureLayouts(contract)) {
    if (camera === undefined) continue;
    for (const frame of frames) {
      const offset = frame - anchor;
      if (offset > 0 || offset <= -observationSteps) continue;
      const name = pictureMember(camera, offset);
      const { pixels } = await decodeRgb(memberOf(members, name, place));
      yield { place: `${place}, ${name}`, key, frame, pixels, isLossy: true };
    }
  }
}

function memberOf(members: ReadonlyMap<string, Uint8Array>, name: string, place: string): Uint8Array {
  const found = members.get(name);
  if (found) return found;
  throw new DatasetError(`${place}: has no ${name}.`);
}
