import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contract } from '../../schemas/contract.ts';
import { DatasetError } from '../../schemas/errors.ts';
import { decodeRgb } from '../../schemas/image-codec.ts';
import type { EpisodeReading, PictureReading } from '../dataset-reading.ts';
import { type FrameColumn, frameColumns } from '../frame-columns.ts';
import { decodeNpz, type NpyArray } from '../npz.ts';
import { samplesOf } from '../webdataset/verify-shards.ts';
import {
  arrayName,
  cameras,
  INSTRUCTIONS,
  instructionsSchema,
  LOWDIM,
  lineSchema,
  MANIFEST_LINES,
  METADATA,
  metadataSchema,
  pictureMember,
  type SampleMetadata,
  SHARDS,
  spanOf,
  stepFrames,
  windowSteps,
} from './layout.ts';

/** One sample of a shard. */
export interface ReadSample {
  /** Shard and key. */
  readonly place: string;
  readonly key: string;
  readonly members: ReadonlyMap<string, Uint8Array>;
}

/** The shards that the manifest names, and how many samples it says they hold. */
export async function readLines(
  directory: string,
): Promise<readonly { readonly shard: string; readonly num_sequences: number }[]> {
  try {
    const text = await readFile(join(directory, SHARDS, MANIFEST_LINES), 'utf8');
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => lineSchema.parse(JSON.parse(line)));
  } catch (cause) {
    throw new DatasetError(`${SHARDS}/${MANIFEST_LINES}: cannot be read (${(cause as Error).message}).`, {
      cause,
    });
  }
}

export async function* readShard(directory: string, shard: string): AsyncGenerator<ReadSample> {
  const path = `${SHARDS}/${shard}.tar`;
  for await (const { key, members } of samplesOf(join(directory, path))) {
    const byName = new Map(members.map(({ name, data }) => [name, data]));
    yield { place: `${path}, sample "${key}"`, key, members: byName };
  }
}

/** The description and the arrays of a sample. @throws {DatasetError} when they are not there or not whole. */
export function readSample({ place, members }: ReadSample): {
  readonly metadata: SampleMetadata;
  readonly arrays: ReadonlyMap<string, NpyArray>;
} {
  try {
    const of = (name: string) => Buffer.from(members.get(name) ?? []);
    const metadata = metadataSchema.parse(JSON.parse(of(METADATA).toString()));
    return { metadata, arrays: decodeNpz(of(LOWDIM)) };
  } catch (cause) {
    throw new DatasetError(`${place}: ${(cause as Error).message}`, { cause });
  }
}

/** Reads shards back, a sample at a time. */
export async function* readVlaFoundry(directory: string, contract: Contract): AsyncGenerator<EpisodeReading> {
  const columns = frameColumns(contract);
  for (const { shard } of await readLines(directory)) {
    for await (const sample of readShard(directory, shard)) yield readingOf(sample, { contract, columns });
  }
}

function readingOf(
  sample: ReadSample,
  { contract, columns }: { readonly contract: Contract; readonly columns: readonly FrameColumn[] },
): EpisodeReading {
  const { metadata, arrays } = readSample(sample);
  const { past, future } = spanOf(contract.samples);
  const anchor = metadata.anchor_timestep;
  return {
    id: metadata.episode_id,
    recording: metadata.kinescribe.recording,
    columns: columns.map((column) => {
      const array = arrays.get(arrayName(column));
      return {
        place: `${sample.place}, ${arrayName(column)}`,
        column,
        values: array ? numbersOf(array) : [],
        frames: (frames) => stepFrames(anchor, { frames, past, future }),
      };
    }),
    texts: [
      {
        place: `${sample.place}, ${INSTRUCTIONS}`,
        values: instructionsOf(sample),
        frames: () => [0],
      },
    ],
    window: { place: sample.place, anchor, anchors: (frames) => anchorsOf(frames, contract) },
    pictures: (frames) => readPictures(sample, { contract, anchor, frames }),
  };
}

function anchorsOf(frames: number, { samples }: Contract): readonly number[] {
  return Array.from(windowSteps(frames, samples), ({ anchor }) => anchor);
}

function instructionsOf({ place, members }: ReadSample): readonly string[] {
  try {
    const text = Buffer.from(members.get(INSTRUCTIONS) ?? []).toString();
    return instructionsSchema.parse(JSON.parse(text)).original;
  } catch (cause) {
    throw new DatasetError(`${place}, ${INSTRUCTIONS}: ${(cause as Error).message}`, { cause });
  }
}

/** The elements of an array. */
export function numbersOf({ type, data }: NpyArray): ArrayLike<number | bigint> {
  const { buffer } = Uint8Array.from(data); // on its own, so that wide elements are aligned
  const types = {
    ...{ '<f4': Float32Array, '<f8': Float64Array, '<i8': BigInt64Array },
    ...{ '<i2': Int16Array, '<u2': Uint16Array, '|u1': Uint8Array, '|b1': Uint8Array },
  };
  return new types[type](buffer);
}

async function* readPictures(
  { place, members }: ReadSample,
  {
    contract,
    anchor,
    frames,
  }: { readonly contract: Contract; readonly anchor: number; readonly frames: readonly number[] },
): AsyncGenerator<PictureReading> {
  for (const [key, camera] of cameras(contract)) {
    for (const frame of frames) {
      const offset = frame - anchor;
      if (offset > 0 || offset < -spanOf(contract.samples).past) continue;
      const name = pictureMember(camera, offset);
      const bytes = members.get(name);
      if (!bytes) throw new DatasetError(`${place}: has no ${name}.`);
      const { pixels } = await decodeRgb(bytes);
      yield { place: `${place}, ${name}`, key, frame, pixels, isLossy: true };
    }
  }
}
