import { beforeAll, describe, expect, test } from 'vitest';
import { decodeRgb } from '../../schemas/image-codec.ts';
import type { Fault } from './faults.ts';
import { STREAMS, TOPICS, type Topic } from './streams.ts';
import { type Decoded, decoded, recordTake, type Take } from './take.fixture.ts';

const DURATION_SECS = 2.2;
const from = { fromSecs: 0.7, forSecs: 0.6 };
/** Each on its own topic, so that what one changes is not another's doing. */
const FAULTS = {
  drop: { kind: 'drop', topic: TOPICS.tactile, ...from },
  jitter: { kind: 'jitter', topic: TOPICS.gripperState, amplitudeSecs: 0.006, ...from },
  clockStep: { kind: 'clock-step', topic: TOPICS.jointCommands, stepSecs: -0.25, ...from },
  frozen: { kind: 'frozen-camera', topic: TOPICS.frontImage, ...from },
  black: { kind: 'black-camera', topic: TOPICS.wristImage, ...from },
  stuck: { kind: 'stuck-joint', joint: 'joint1', ...from },
  saturation: { kind: 'force-saturation', limitNewtons: 150, ...from },
} as const satisfies Record<string, Fault>;

describe('Simulation with faults, beside the same take without', () => {
  let clean: Take;
  let faulty: Take;
  beforeAll(async () => {
    clean = await recordTake({ seed: 11, durationSecs: DURATION_SECS });
    faulty = await recordTake({ seed: 11, durationSecs: DURATION_SECS, faults: Object.values(FAULTS) });
  }, 60_000);

  /** Messages of both takes by their number in the stream, and those that the truth says are touched. */
  function both(topic: Topic, fault: Fault) {
    const touched = new Set(faulty.truth.faults.find((each) => each.fault === fault)!.sensorTimes);
    const isTouched = ({ sensorTime }: Decoded) => touched.has(String(sensorTime));
    return { before: decoded(clean, topic), after: decoded(faulty, topic), touched, isTouched };
  }

  test('keeps every message of an untouched topic, byte for byte', () => {
    const concerned: readonly Topic[] = [
      ...[
        FAULTS.drop.topic,
        FAULTS.jitter.topic,
        FAULTS.clockStep.topic,
        FAULTS.frozen.topic,
        FAULTS.black.topic,
      ],
      ...[TOPICS.jointStates, TOPICS.wrench],
    ];
    for (const { topic } of STREAMS) {
      if (!concerned.includes(topic)) expect(decoded(faulty, topic)).toEqual(decoded(clean, topic));
    }
  });

  test.each([
    ['frozen', TOPICS.frontImage, 30],
    ['black', TOPICS.wristImage, 30],
    ['stuck', TOPICS.jointStates, 200],
    ['saturation', TOPICS.wrench, 500],
  ] as const)('changes by "%s" on %s exactly the messages that the truth names', (name, topic, rateHz) => {
    const { before, after, touched, isTouched } = both(topic, FAULTS[name]);
    expect(Math.abs(touched.size - from.forSecs * rateHz)).toBeLessThanOrEqual(1);
    expect(after.map(({ sensorTime, logTime }) => [sensorTime, logTime])).toEqual(
      before.map(({ sensorTime, logTime }) => [sensorTime, logTime]),
    );
    const changed = after.filter(({ data }, i) => Buffer.compare(data, before[i]!.data) !== 0);
    expect(changed.every(isTouched)).toBe(true);
    expect(changed.length).toBeGreaterThanOrEqual(touched.size - 1); // a joint sticks at what it read first
  });

  test('keeps away by "drop" exactly the messages that the truth names', () => {
    const { before, after, touched, isTouched } = both(TOPICS.tactile, FAULTS.drop);
    expect(touched.size).toBe(60);
    expect(after).toEqual(before.filter((message) => !isTouched(message)));
    expect(before.filter(isTouched)).toHaveLength(touched.size);
    const { span } = faulty.truth.faults[0]!;
    expect(Number(BigInt(span!.endTime) - BigInt(span!.startTime)) / 1e9).toBe(from.forSecs);
  });

  test('scatters by "jitter" the sampling of the messages that the truth names and no others', () => {
    const { before, after, touched, isTouched } = both(TOPICS.gripperState, FAULTS.jitter);
    const moved = after.map(
      ({ sensorTime }, i) => Math.abs(Number(sensorTime - before[i]!.sensorTime)) / 1e9,
    );
    expect(touched.size).toBe(30);
    after.forEach((message, i) => {
      if (!isTouched(message)) expect(moved[i]).toBe(0);
      else expect(moved[i]).toBeLessThanOrEqual(FAULTS.jitter.amplitudeSecs + 1e-9);
    });
    expect(Math.max(...moved)).toBeGreaterThan(FAULTS.jitter.amplitudeSecs / 2);
  });

  test('shifts by "clock-step" the stamps of the messages that the truth names, not their receive times', () => {
    const { before, after, touched, isTouched } = both(TOPICS.jointCommands, FAULTS.clockStep);
    expect(touched.size).toBe(30);
    after.forEach((message, i) => {
      const shift = Number(message.sensorTime - before[i]!.sensorTime) / 1e9;
      expect(shift).toBe(isTouched(message) ? FAULTS.clockStep.stepSecs : 0);
      expect(message.logTime).toBe(before[i]!.logTime);
    });
  });

  test('repeats the last picture by "frozen", under new stamps', () => {
    const { after, isTouched } = both(TOPICS.frontImage, FAULTS.frozen);
    const first = after.findIndex(isTouched);
    const pictures = new Set(
      after.filter(isTouched).map(({ value }) => Buffer.from(value.data as Uint8Array).toString('base64')),
    );
    expect([...pictures]).toEqual([
      Buffer.from(after[first - 1]!.value.data as Uint8Array).toString('base64'),
    ]);
  });

  test('sends black pictures by "black"', async () => {
    const { after, isTouched } = both(TOPICS.wristImage, FAULTS.black);
    const { pixels } = await decodeRgb(after.find(isTouched)!.value.data as Uint8Array);
    expect(pixels.every((value) => value < 4)).toBe(true);
  });

  test('holds one joint by "stuck" while the others go on', () => {
    const { after, isTouched } = both(TOPICS.jointStates, FAULTS.stuck);
    const positions = after.filter(isTouched).map(({ value }) => value.position as Float64Array);
    expect(new Set(positions.map(([joint1]) => joint1)).size).toBe(1);
    expect(new Set(positions.map(([, joint2]) => joint2)).size).toBeGreaterThan(50);
    expect(after.filter(isTouched).every(({ value }) => (value.velocity as Float64Array)[0] === 0)).toBe(
      true,
    );
  });

  test('pins the force along z by "saturation"', () => {
    const { after, isTouched } = both(TOPICS.wrench, FAULTS.saturation);
    const force = ({ value }: Decoded) => (value.wrench as { force: { z: number } }).force.z;
    expect(new Set(after.filter(isTouched).map(force))).toEqual(new Set([150]));
    expect(Math.max(...after.filter((message) => !isTouched(message)).map(force))).toBeLessThan(20);
  });
});

test('Simulation sends the same bytes for the same options and others for another seed', async () => {
  const options = { seed: 3, durationSecs: 0.5 };
  const [first, second, other] = [
    await recordTake(options),
    await recordTake(options),
    await recordTake({ ...options, seed: 4 }),
  ];
  expect(second).toEqual(first);
  expect(other.messages.map(({ data }) => data)).not.toEqual(first.messages.map(({ data }) => data));
});
