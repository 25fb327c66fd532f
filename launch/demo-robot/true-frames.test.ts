import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { episodeFrames } from '../../converters/episode-frames.ts';
import type { Frame } from '../../converters/frame.ts';
import type { Contract } from '../../schemas/contract.ts';
import { parseContract } from '../../schemas/contract-file.ts';
import { EpisodeReader } from '../../schemas/episode-reader.ts';
import { EpisodeWriter } from '../../schemas/episode-writer.ts';
import { temporaryFolder } from '../../schemas/fixtures/episodes.ts';
import { nanosToSecs, secsToNanos } from '../../schemas/time.ts';
import type { Fault } from './faults.ts';
import { channelOf, STREAMS, TOPICS, type Topic } from './streams.ts';
import { type Decoded, decoded, recordTake, START_TIME, type Take } from './take.fixture.ts';

const SECS = 5;
const RATE_HZ = 30;

/** What goes wrong with the take, each in a stretch of its own. */
const FAULTS = {
  'joint states lost': { kind: 'drop', topic: TOPICS.jointStates, fromSecs: 1, forSecs: 0.3 },
  'joint clock 1.5 s ahead': {
    kind: 'clock-step',
    topic: TOPICS.jointStates,
    stepSecs: 1.5,
    ...{ fromSecs: 2, forSecs: 0.6 },
  },
  'gripper jitters by 8 ms': {
    kind: 'jitter',
    topic: TOPICS.gripperState,
    amplitudeSecs: 0.008,
    ...{ fromSecs: 1, forSecs: 1 },
  },
  'gripper clock 0.4 s behind': {
    kind: 'clock-step',
    topic: TOPICS.gripperState,
    stepSecs: -0.4,
    ...{ fromSecs: 3, forSecs: 0.6 },
  },
  'tactile starts 0.8 s late': { kind: 'drop', topic: TOPICS.tactile, fromSecs: 0, forSecs: 0.8 },
  'wrench frozen to the end': { kind: 'drop', topic: TOPICS.wrench, fromSecs: 4, forSecs: 5 },
} as const satisfies Record<string, Fault>;

const FEATURES = {
  joints: { topic: TOPICS.jointStates, field: 'position[name=joint1..joint7]', toleranceSecs: 0.02 },
  gripper: { topic: TOPICS.gripperState, field: 'position', toleranceSecs: 0.03 },
  tactile: { topic: TOPICS.tactile, field: 'pressure', toleranceSecs: 0.02 },
  wrench: { topic: TOPICS.wrench, field: 'wrench', toleranceSecs: 0.01 },
} as const;
type Key = keyof typeof FEATURES;
const KEYS = Object.keys(FEATURES) as Key[];

const WIDTH: Readonly<Record<Key, number>> = { joints: 7, gripper: 1, tactile: 16, wrench: 6 };

const { contract } = parseContract(
  JSON.stringify({
    kinescribe: 1,
    name: 'faults',
    robot: { model: 'demo' },
    streams: Object.fromEntries(
      KEYS.map((key) => {
        const { topic } = FEATURES[key];
        const { type } = STREAMS.find((stream) => stream.topic === topic)!;
        return [key, { topic, role: 'motion', type, required: key === 'gripper' }];
      }),
    ),
    features: Object.fromEntries(
      KEYS.map((key) => {
        const { field, toleranceSecs } = FEATURES[key];
        return [
          key,
          { kind: 'vector', stream: key, field, shape: [WIDTH[key]], dtype: 'float64', toleranceSecs },
        ];
      }),
    ),
    samples: { tickRateHz: RATE_HZ },
    episode: { tasks: ['pick'] },
  }),
  'faults.yaml',
);

async function framesOf({ messages }: Take, under: Contract): Promise<Frame[]> {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.mcap');
  const writer = await EpisodeWriter.open(file, { durability: 'none' });
  const ids = STREAMS.map((spec) => writer.addChannel(channelOf(spec)));
  for (const [sequence, { channelKey, logTime, publishTime = logTime, data }] of messages.entries()) {
    await writer.write({ channelId: ids[channelKey]!, sequence, logTime, publishTime, data });
  }
  await writer.close();
  await using reader = await EpisodeReader.open(file);
  const frames: Frame[] = [];
  for await (const frame of episodeFrames(reader, under)) frames.push(frame);
  return frames;
}

function numbersOf(key: Key, { value }: Decoded): readonly number[] {
  switch (key) {
    case 'joints':
    case 'gripper':
      return [...(value.position as Float64Array)].slice(0, WIDTH[key]);
    case 'tactile':
      return [...(value.pressure as Float32Array)];
    case 'wrench': {
      const { force, torque } = value.wrench as Record<string, { x: number; y: number; z: number }>;
      return [force!, torque!].flatMap(({ x, y, z }) => [x, y, z]);
    }
  }
}

const distance = (a: readonly number[], b: readonly number[]) =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
const magnitude = (nanos: bigint) => (nanos < 0n ? -nanos : nanos);

describe('frames of a simulated take full of faults', () => {
  let clean: Take;
  let faulty: Take;
  let frames: Frame[];

  beforeAll(async () => {
    clean = await recordTake({ seed: 5, durationSecs: SECS });
    faulty = await recordTake({ seed: 5, durationSecs: SECS, faults: Object.values(FAULTS) });
    frames = await framesOf(faulty, contract);
  }, 60_000);

  /** Stamps that the truth says a clock step made wrong, as they stand in the headers. */
  function wrongStamps(topic: Topic): ReadonlySet<string> {
    const steps = faulty.truth.faults.filter(
      ({ fault }) => fault.kind === 'clock-step' && fault.topic === topic,
    );
    return new Set(steps.flatMap(({ sensorTimes }) => sensorTimes));
  }

  test.each(KEYS)('mask and date "%s" exactly where the truth has the faults', (key) => {
    const { topic, toleranceSecs } = FEATURES[key];
    const wrong = wrongStamps(topic);
    const all = decoded(faulty, topic);
    const honest = all.filter(({ sensorTime }) => !wrong.has(String(sensorTime)));
    expect(honest).toHaveLength(all.length - wrong.size);
    for (const { tickTime, values } of frames) {
      const value = values.get(key)!;
      const latest = honest.findLast(({ sensorTime }) => sensorTime <= tickTime);
      const ageNanos = latest && tickTime - latest.sensorTime;
      const valid = ageNanos !== undefined && ageNanos <= secsToNanos(toleranceSecs);
      expect([value.valid, value.ageNanos]).toEqual([valid, ageNanos]);
      if (value.kind !== 'vector') throw new TypeError(key);
      const expected = valid ? numbersOf(key, latest!) : Array.from({ length: WIDTH[key] }, () => Number.NaN);
      expect([...value.elements]).toEqual(expected);
    }
  });

  /**
   * The nearest message by its stamp, however far away, as most converters choose it; and what was true at the
   * tick by the take without faults, on the line between its two nearest samples.
   */
  function compare(key: Key, fault: Fault) {
    if (fault.kind === 'missed-grasp') throw new TypeError(fault.kind);
    const { topic } = FEATURES[key];
    const truth = decoded(clean, topic);
    const sent = decoded(faulty, topic);
    const wrong = wrongStamps(topic);
    const begin = START_TIME + secsToNanos(fault.fromSecs);
    const step = fault.kind === 'clock-step' ? fault.stepSecs : 0;
    // A wrong stamp does its harm where it says that it is.
    const [from, to] = [Math.min(0, step), fault.forSecs + Math.max(0, step)].map(
      (secs) => begin + secsToNanos(secs),
    );
    const result = { ticks: 0, masked: 0, naive: 0, ours: 0, naiveMillis: 0, oursMillis: 0 };
    for (const { tickTime, values } of frames) {
      if (tickTime < from! || tickTime >= to!) continue;
      result.ticks++;
      const i = truth.findIndex(({ sensorTime }) => sensorTime > tickTime);
      if (i < 1) continue;
      const [a, b] = [truth[i - 1]!, truth[i]!];
      const weight = Number(tickTime - a.sensorTime) / Number(b.sensorTime - a.sensorTime);
      const [before, after] = [numbersOf(key, a), numbersOf(key, b)];
      const actual = before.map((value, n) => value + weight * (after[n]! - value));
      const nearest = sent.reduce((best, each) =>
        magnitude(each.sensorTime - tickTime) < magnitude(best.sensorTime - tickTime) ? each : best,
      );
      const error = wrong.has(String(nearest.sensorTime)) ? secsToNanos(step) : 0n;
      const measuredTime = nearest.sensorTime - error;
      result.naive = Math.max(result.naive, distance(numbersOf(key, nearest), actual));
      result.naiveMillis = Math.max(
        result.naiveMillis,
        nanosToSecs(magnitude(measuredTime - tickTime)) * 1e3,
      );
      const value = values.get(key)!;
      if (!value.valid || value.kind !== 'vector') {
        result.masked++;
        continue;
      }
      result.ours = Math.max(result.ours, distance([...value.elements], actual));
      result.oursMillis = Math.max(result.oursMillis, nanosToSecs(value.ageNanos!) * 1e3);
    }
    return result;
  }

  test('are never further from the truth than their tolerance allows, where the nearest message is', () => {
    const rows = [
      ['joint states lost', 'joints', 'rad'],
      ['joint clock 1.5 s ahead', 'joints', 'rad'],
      ['gripper jitters by 8 ms', 'gripper', 'm'],
      ['gripper clock 0.4 s behind', 'gripper', 'm'],
      ['tactile starts 0.8 s late', 'tactile', 'N'],
      ['wrench frozen to the end', 'wrench', 'N, N·m'],
    ] as const;
    const table = rows.map(([name, key, unit]) => ({ name, unit, key, ...compare(key, FAULTS[name]) }));
    if (process.env.KINESCRIBE_TABLE) console.table(table);
    for (const { key, masked, ticks, oursMillis } of table) {
      expect(oursMillis).toBeLessThanOrEqual(FEATURES[key].toleranceSecs * 1e3);
      expect(masked).toBeLessThanOrEqual(ticks);
    }
    const [lost, ahead, , behind] = table;
    // A joint moves by up to a radian per second: 0.15 s in the middle of a gap, 1.5 s under a wrong clock.
    expect(lost!.naiveMillis).toBeGreaterThan(140);
    expect(ahead!.naiveMillis).toBeGreaterThan(1400);
    expect(ahead!.naive).toBeGreaterThan(20 * ahead!.ours);
    expect(behind!.naiveMillis).toBeGreaterThan(390);
  });
});
