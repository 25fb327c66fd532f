import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Contract, VectorFeature } from '../schemas/contract.ts';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { parseFieldPath } from '../schemas/field-path.ts';
import type { Message } from '../schemas/message.ts';
import { createDecoder, createSensorTimeReader } from '../schemas/message-codec.ts';
import { secsToNanos, tickTime } from '../schemas/time.ts';
import { allFrames, testContract } from './episode.fixture.ts';
import { pickNumbers } from './feature-pick.ts';

/** Recordings of other people's robots, which the project does not carry. */
const DATA = join(import.meta.dirname, '../../shared/data');
const CRAB = join(DATA, 'crab_load_cell_gait/adya_gait.bag/adya_gait.bag_0.mcap');
const SENSORS = join(DATA, 'rerun_mcap_fixtures/rosbag2_2025_09_10-13_03_56_0.mcap');

const ABSENT = 'real recordings are not at ../shared/data';

interface Read {
  readonly time: bigint;
  readonly elements: number[];
}

/** Every message of a feature, in order of its clock, those of one instant in order of receipt. */
async function readAll(reader: EpisodeReader, contract: Contract, feature: VectorFeature): Promise<Read[]> {
  const { topic, clock = contract.samples.clock } = contract.streams[feature.stream]!;
  const parsed = parseFieldPath(String(feature.field));
  const read: Read[] = [];
  for await (const message of reader.messages({ topics: [topic] })) {
    if ('fault' in parsed) throw new Error(parsed.fault);
    const elements: number[] = [];
    pickNumbers(createDecoder(message.channel)(message.data), parsed.path, elements);
    read.push({ time: instant(message, clock), elements });
  }
  return read.toSorted((a, b) => Number(a.time - b.time));
}

function instant(message: Message, clock: 'sensor' | 'publish' | 'log'): bigint {
  if (clock === 'log') return message.logTime;
  if (clock === 'publish') return message.publishTime;
  return createSensorTimeReader(message.channel)!(message.data)!;
}

/** A feature at a tick by its definition, looking at every message of the recording. */
function expected(read: readonly Read[], tick: bigint, { align, toleranceSecs }: VectorFeature) {
  const tolerance = secsToNanos(toleranceSecs);
  const previous = read.findLast(({ time }) => time <= tick);
  const next = read.find(({ time }) => time > tick);
  const toPrevious = previous && tick - previous.time;
  const toNext = next && next.time - tick;
  const masked = { valid: false, elements: read[0]!.elements.map(() => Number.NaN) };
  if (align === 'linear') {
    if (previous && toPrevious === 0n) return { valid: true, elements: previous.elements };
    if (!previous || !next || toPrevious! > tolerance || toNext! > tolerance) return masked;
    const weight = Number(toPrevious!) / Number(next.time - previous.time);
    const elements = previous.elements.map((from, i) => from + weight * (next.elements[i]! - from));
    return { valid: true, elements };
  }
  const isNext = align === 'nearest' && next && (!previous || toNext! < toPrevious!);
  const [chosen, distance] = isNext ? [next, toNext] : [previous, toPrevious];
  return chosen && distance! <= tolerance ? { valid: true, elements: chosen.elements } : masked;
}

async function holdAgainstDefinition(file: string, contract: Contract) {
  const { frames, report } = await allFrames(file, contract);
  await using reader = await EpisodeReader.open(file);
  for (const [key, feature] of Object.entries(contract.features)) {
    if (feature.kind !== 'vector') continue;
    const read = await readAll(reader, contract, feature);
    for (const { tickTime: tick, values } of frames) {
      const value = values.get(key)!;
      if (value.kind !== 'vector') throw new TypeError(key);
      expect({ valid: value.valid, elements: [...value.elements] }).toEqual(expected(read, tick, feature));
    }
  }
  // Outside the frames, no tick is complete.
  const required = Object.values(contract.features).filter(
    (feature) => feature.kind === 'vector' && contract.streams[feature.stream]!.required,
  ) as VectorFeature[];
  const reads = await Promise.all(required.map((feature) => readAll(reader, contract, feature)));
  const { tickRateHz } = contract.samples;
  const origin = reads.flatMap((read) => read.map(({ time }) => time)).toSorted((a, b) => Number(a - b))[0]!;
  const isComplete = (index: number) =>
    required.every((feature, i) => expected(reads[i]!, tickTime(origin, index, tickRateHz), feature).valid);
  const { ticks, trimmedStart, trimmedEnd } = report;
  const complete = Array.from({ length: ticks }, (_, index) => isComplete(index));
  expect([complete.indexOf(true), complete.lastIndexOf(true)]).toEqual([
    trimmedStart,
    ticks - 1 - trimmedEnd,
  ]);
  expect(frames[0]!.tickTime).toBe(tickTime(origin, trimmedStart, tickRateHz));
  return { frames, report };
}

test('episodeFrames() makes of a real walking robot what the definition says', async ({ skip }) => {
  skip(!existsSync(CRAB), ABSENT);
  const contract = testContract(`
streams:
  position: { topic: /servo/position_data, role: motion, type: crab_interfaces/msg/ServoData, rateHz: 100 }
  load: { topic: /load_cell_data, role: interaction, type: crab_interfaces/msg/LoadCell, rateHz: 330 }
  encoder: { topic: /servo/encoder_data, role: motion, type: crab_interfaces/msg/ServoData, required: false }
features:
  observation.load: { kind: vector, stream: load, field: data, shape: [20, 6], toleranceSecs: 0.02 }
  observation.encoder: { kind: vector, stream: encoder, field: data, shape: [2], align: nearest, toleranceSecs: 0.1 }
  action: { kind: vector, stream: position, field: data, shape: [2], align: linear, toleranceSecs: 0.0195 }
samples: { tickRateHz: 50 }`);
  const { frames, report } = await holdAgainstDefinition(CRAB, contract);
  // 650 ticks in 13 s, the last 196 of them after the load cells had ended.
  expect(report).toMatchObject({ ticks: 650, frames: 453, trimmedStart: 1, lateMessages: new Map() });
  const invalid = (key: string) => frames.filter(({ values }) => !values.get(key)!.valid).length;
  expect([invalid('observation.load'), invalid('observation.encoder')]).toEqual([39, 90]);
});

test('episodeFrames() takes streams whose stamps are up to a second stale or stand still', async ({
  skip,
}) => {
  skip(!existsSync(SENSORS), ABSENT);
  const contract = testContract(`
streams:
  joints: { topic: /joint_state, role: motion, type: sensor_msgs/msg/JointState }
  pressure: { topic: /fluid_pressure, role: perception, type: sensor_msgs/msg/FluidPressure, clock: log, required: false }
  imu: { topic: /imu, role: motion, type: sensor_msgs/msg/Imu, required: false }
  battery: { topic: /battery_state, role: context, type: sensor_msgs/msg/BatteryState, clock: publish, required: false }
features:
  joints: { kind: vector, stream: joints, field: position, shape: [4], align: linear, toleranceSecs: 0.2 }
  pressure: { kind: vector, stream: pressure, field: fluid_pressure, shape: [1], toleranceSecs: 10 }
  gyro: { kind: vector, stream: imu, field: angular_velocity, shape: [3], align: nearest, toleranceSecs: 10 }
  battery: { kind: vector, stream: battery, field: voltage, shape: [1], toleranceSecs: 10 }
samples: { tickRateHz: 50 }`);
  const { frames } = await holdAgainstDefinition(SENSORS, contract);
  expect(frames.length).toBeGreaterThan(20);
});

test('episodeFrames() makes points, pictures, intrinsics and texts of a real recording', async ({ skip }) => {
  skip(!existsSync(SENSORS), ABSENT);
  const stream = (topic: string, type: string) =>
    `{ topic: /${topic}, role: perception, type: ${type}, clock: log, required: false }`;
  const contract = testContract(`
streams:
  cloud: ${stream('point_cloud2', 'sensor_msgs/msg/PointCloud2')}
  image: ${stream('image', 'sensor_msgs/msg/Image')}
  jpeg: ${stream('compressed_image', 'sensor_msgs/msg/CompressedImage')}
  info: ${stream('camera_info', 'sensor_msgs/msg/CameraInfo')}
  log: ${stream('rosout', 'rcl_interfaces/msg/Log')}
features:
  points: { kind: points, stream: cloud, count: 64, fields: [x, y, z, real], within: { z: [0, 2] }, toleranceSecs: 10 }
  image: { kind: image, stream: image, width: 32, height: 24, toleranceSecs: 10 }
  jpeg: { kind: image, stream: jpeg, width: 32, height: 24, toleranceSecs: 10 }
  k: { kind: vector, stream: info, field: k, shape: [3, 3], intrinsicsOf: image, toleranceSecs: 10 }
  log: { kind: text, stream: log, field: msg, toleranceSecs: 10 }
samples: { tickRateHz: 50 }`);
  const { frames } = await allFrames(SENSORS, contract);
  const last = [...frames.at(-1)!.values.values()];
  expect(last.map(({ valid }) => valid)).toEqual([true, true, true, true, true]);
  const [points, image, jpeg, k, log] = last;
  if (points?.kind !== 'vector' || k?.kind !== 'vector' || log?.kind !== 'text') throw new TypeError('kinds');
  const rows = Array.from({ length: 64 }, (_, i) => points.elements.subarray(4 * i, 4 * i + 4));
  const real = rows.filter((row) => row[3] === 1);
  expect(real.length).toBeGreaterThan(0);
  for (const row of real) expect(row[2]! >= 0 && row[2]! <= 2).toBe(true);
  if (image?.kind !== 'image' || jpeg?.kind !== 'image') throw new TypeError('kinds');
  expect(new Set(image.pixels).size).toBeGreaterThan(10);
  expect(new Set(jpeg.pixels).size).toBeGreaterThan(10);
  // A twentieth of f = 500 and of 320.5 × 240.5, half a pixel less.
  expect([...k.elements].map((each) => +each.toFixed(3))).toEqual([25, 0, 15.525, 0, 25, 11.525, 0, 0, 1]);
  expect(log.text).toMatch(/^Publish/);
});
