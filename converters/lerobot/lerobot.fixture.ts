import { mkdir } from 'node:fs/promises';
import { type Contract, contractSchema } from '../../schemas/contract.ts';
import type { DatasetFormat, DatasetTarget } from '../dataset-writer.ts';
import type { Frame, FrameValue } from '../frame.ts';
import { addFrames } from '../prepared/prepared.fixture.ts';
import { type LerobotOptions, lerobotWith } from './lerobot.ts';

/** A small contract with every kind of column: plain number, list, matrix, integer, boolean, two pictures. */
export const fixtureContract: Contract = contractSchema.parse({
  kinescribe: 1,
  name: 'fixture',
  robot: { model: 'fixture-arm' },
  streams: {
    joints: { topic: '/joints', role: 'motion', type: 'sensor_msgs/msg/JointState' },
    camera: { topic: '/camera', role: 'perception', type: 'sensor_msgs/msg/CompressedImage' },
    wrist: { topic: '/wrist', role: 'perception', type: 'sensor_msgs/msg/CompressedImage' },
  },
  features: {
    'observation.state': {
      kind: 'vector',
      stream: 'joints',
      toleranceSecs: 0.1,
      field: 'position',
      shape: [3],
      names: ['a', 'b', 'c'],
    },
    'observation.tactile': {
      kind: 'vector',
      stream: 'joints',
      toleranceSecs: 0.1,
      field: 'velocity',
      dtype: 'float64',
      shape: [2, 3],
    },
    action: { kind: 'vector', stream: 'joints', toleranceSecs: 0.1, field: 'effort', shape: [1] },
    mode: { kind: 'vector', stream: 'joints', toleranceSecs: 0.1, field: 'mode', dtype: 'int64', shape: [1] },
    contact: {
      kind: 'vector',
      stream: 'joints',
      toleranceSecs: 0.1,
      field: 'contact',
      dtype: 'bool',
      shape: [2],
    },
    'observation.images.top': { kind: 'image', stream: 'camera', toleranceSecs: 0.1, width: 96, height: 64 },
    'observation.images.wrist': { kind: 'image', stream: 'wrist', toleranceSecs: 0.1, width: 64, height: 64 },
  },
  samples: { tickRateHz: 30 },
  episode: { tasks: ['pick the block', 'place the block'] },
});

export function fixtureTarget(directory: string, contract = fixtureContract): DatasetTarget {
  return {
    directory,
    contract,
    contractDigest: `sha256:${'0'.repeat(64)}`,
    version: '0.0.0',
    tasks: [...contract.episode.tasks].sort(),
  };
}

/** Writes a dataset of episodes of the given lengths into a folder that does not exist. */
export async function writeDataset(
  directory: string,
  options: LerobotOptions,
  lengths: readonly number[],
): Promise<string> {
  await mkdir(directory);
  await writeEpisodes(lerobotWith(options), fixtureTarget(directory), lengths);
  return directory;
}

/** Writes episodes of the given lengths; in each, frame 2 holds no valid vector and no valid top picture. */
export async function writeEpisodes(
  format: DatasetFormat,
  target: DatasetTarget,
  lengths: readonly number[],
): Promise<number> {
  const writer = await format.open(target);
  for (const [index, length] of lengths.entries()) {
    const task = fixtureContract.episode.tasks[index % 2]!;
    const header = { index, id: `episode-${index}`, digest: `sha256:${'1'.repeat(64)}`, task };
    const frames = fixtureFrames(index, length);
    await addFrames(writer, { contract: target.contract, format, header, frames });
  }
  return writer.finish();
}

/** Writes episodes of frames, each in its split. */
export async function writeFrames(
  format: DatasetFormat,
  target: DatasetTarget,
  episodes: readonly (readonly Frame[])[],
  splits: readonly string[] = [],
): Promise<number> {
  const writer = await format.open(target);
  for (const [index, frames] of episodes.entries()) {
    const [task, split] = [fixtureContract.episode.tasks[0]!, splits[index]];
    const header = { index, id: `e${index}`, digest: '', task, ...(split !== undefined && { split }) };
    await addFrames(writer, { contract: target.contract, format, header, frames });
  }
  return writer.finish();
}

export function fixtureFrames(episode: number, length: number): Frame[] {
  return Array.from({ length }, (_, index) => fixtureFrame(episode, index));
}

export function fixtureFrame(episode: number, index: number): Frame {
  const valid = index !== 2;
  const tickTime =
    1_700_000_000_000_000_000n + BigInt(episode) * 60_000_000_000n + (BigInt(index) * 1_000_000_000n) / 30n;
  const values = Object.entries(fixtureContract.features).map(([key, feature]): [string, FrameValue] => {
    if (feature.kind === 'image') {
      const pixels = fixturePicture(feature.width, feature.height, episode * 100 + index);
      const shown = valid || key.endsWith('wrist');
      return [
        key,
        { kind: 'image', feature, valid: shown, ageNanos: shown ? 3_000_000n : undefined, pixels },
      ];
    }
    if (feature.kind !== 'vector') throw new TypeError(`the fixture has no ${feature.kind}`);
    const ageNanos = valid ? 3_000_000n : undefined;
    const size = feature.shape.reduce((product, n) => product * n, 1);
    const none = feature.dtype.startsWith('float') ? Number.NaN : 0;
    const elements = Float64Array.from({ length: size }, (_, element) =>
      !valid
        ? none
        : feature.dtype === 'bool'
          ? (index + element) % 2
          : episode * 1000 + index * 10 + element,
    );
    return [key, { kind: 'vector', feature, valid, ageNanos, elements }];
  });
  return { index, tickTime, values: new Map(values) };
}

/** Red grows to the right, green downwards; a blue block tells the frame by its place. [height, width, 3] RGB. */
export function fixturePicture(width: number, height: number, frame: number): Uint8Array {
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const block =
        x >> 3 === frame % (width >> 3) && y >> 3 === Math.floor(frame / (width >> 3)) % (height >> 3);
      pixels.set(
        [Math.round((255 * x) / width), Math.round((255 * y) / height), block ? 255 : 0],
        (y * width + x) * 3,
      );
    }
  }
  return pixels;
}
