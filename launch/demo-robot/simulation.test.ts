import { beforeAll, describe, expect, test } from 'vitest';
import { decodeRgb } from '../../schemas/image-codec.ts';
import { INTRINSICS } from './cameras.ts';
import { invert, transformPoint, type Vec3 } from './pose.ts';
import { principalPoint } from './rasteriser.ts';
import { JOINTS } from './robot-model.ts';
import { STREAMS, TOPICS, type Topic } from './streams.ts';
import { type Decoded, decoded, recordTake, START_TIME, type Take } from './take.fixture.ts';
import { worldPose } from './tf-chain.fixture.ts';
import type { DemoTruth, Interval } from './truth.ts';

const secsSinceStart = (time: bigint | string) => Number(BigInt(time) - START_TIME) / 1e9;
const within = (spans: readonly Interval[], time: bigint, marginSecs = 0) =>
  spans.some(
    ({ startTime, endTime }) =>
      secsSinceStart(time) >= secsSinceStart(startTime) + marginSecs &&
      secsSinceStart(time) < secsSinceStart(endTime) - marginSecs,
  );
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('Simulation over one pick-and-place', () => {
  let take: Take;
  beforeAll(async () => {
    take = await recordTake({ seed: 5 });
  }, 60_000);

  test('delivers messages that their own definitions decode, by receive time', () => {
    const topics = new Set(take.messages.map(({ channelKey }) => STREAMS[channelKey]!.topic));
    expect([...topics].sort()).toEqual(Object.values(TOPICS).sort());
    for (const topic of topics) expect(decoded(take, topic).length).toBeGreaterThan(0);
    const logTimes = take.messages.map(({ logTime }) => logTime);
    expect(logTimes.every((time, i) => i === 0 || time >= logTimes[i - 1]!)).toBe(true);
    expect(take.messages.every(({ data }) => data.byteLength === data.buffer.byteLength)).toBe(true);
  });

  test.each(STREAMS.filter(({ rateHz }) => rateHz))(
    'keeps the rate of $topic without being even',
    ({ topic, rateHz }) => {
      const times = decoded(take, topic).map(({ sensorTime }) => secsSinceStart(sensorTime));
      const gaps = times.slice(1).map((time, i) => time - times[i]!);
      expect(mean(gaps) * rateHz!).toBeCloseTo(1, 1);
      expect(Math.max(...gaps) * rateHz!).toBeLessThan(1.5);
      expect(Math.min(...gaps)).toBeGreaterThan(0);
      expect(new Set(gaps.map((gap) => Math.round(gap * 1e6))).size).toBeGreaterThan(
        gaps.length > 100 ? 20 : 1,
      );
    },
  );

  test('receives later than it publishes and publishes later than it measures', () => {
    for (const { topic, latencySecs } of STREAMS) {
      for (const { sensorTime, logTime } of decoded(take, topic)) {
        const latency = Number(logTime - sensorTime) / 1e9;
        if (topic === TOPICS.robotDescription) continue; // carries no stamp
        expect(latency).toBeGreaterThanOrEqual(latencySecs[0] - 1e-9);
        expect(latency).toBeLessThan(latencySecs[0] + 5 * latencySecs[1] + 0.01);
      }
    }
    for (const { publishTime, logTime } of take.messages) expect(publishTime).toBeLessThanOrEqual(logTime);
  });

  test('names the joints of the arm and follows its commands', () => {
    const states = decoded(take, TOPICS.jointStates);
    expect(states[0]!.value.name).toEqual(JOINTS);
    const commands = decoded(take, TOPICS.jointCommands);
    const last = (messages: readonly Decoded[]) =>
      Array.from(messages.at(-1)!.value.position as Float64Array);
    last(commands).forEach((target, i) => {
      expect(last(states)[i]).toBeCloseTo(target, 2);
    });
  });

  test('feels the block at the wrist only while it holds it', () => {
    const [held, free] = [take.truth.grasps, take.truth.phases.filter(({ phase }) => phase === 'rest')];
    const lifted = take.truth.phases.filter(({ phase }) => phase === 'transport');
    const forces = decoded(take, TOPICS.wrench).map(({ sensorTime, value }) => {
      return { sensorTime, z: (value.wrench as { force: { z: number } }).force.z };
    });
    const meanWithin = (spans: readonly Interval[]) =>
      mean(forces.filter(({ sensorTime }) => within(spans, sensorTime, 0.1)).map(({ z }) => z));
    // 150 g more hang from the sensor, whose z axis points down.
    expect(meanWithin(lifted) - meanWithin(free)).toBeCloseTo(1.47, 1);
    // The block is set down with some force: the arm is pushed up.
    const pressed = forces.filter(({ sensorTime }) => within(held, sensorTime)).map(({ z }) => z);
    expect(Math.min(...pressed)).toBeLessThan(meanWithin(free) - 5);
  });

  test('presses the taxels only while it holds the block', () => {
    const touching = take.truth.contacts.filter(({ pair }) => pair === 'finger_left-block');
    for (const { sensorTime, value } of decoded(take, TOPICS.tactile)) {
      const pressure = Array.from(value.pressure as Float32Array);
      const total = pressure.reduce((sum, taxel) => sum + taxel, 0);
      if (!within(touching, sensorTime, -0.004)) expect(total).toBeLessThan(0.05);
      else if (within(take.truth.grasps, sensorTime, 0.35)) expect(Math.abs(total - 12.4)).toBeLessThan(1.5);
    }
  });

  test('shows the block where the cameras must see it', async () => {
    const redAt = async (topic: Topic, camera: 'front' | 'wrist', spans: readonly Interval[]) => {
      const frame = `camera_${camera}_optical_frame`;
      const [fixed] = decoded(take, TOPICS.tfStatic);
      const transforms = decoded(take, TOPICS.tf);
      const pictures = decoded(take, topic).filter(({ sensorTime }) => within(spans, sensorTime, 0.05));
      const seen = pictures
        .filter((_, i) => i % 5 === 0)
        .map(async ({ sensorTime, value }) => {
          const tf = transforms.find((message) => message.sensorTime >= sensorTime)!;
          const cameraFromWorld = invert(worldPose(frame, [fixed!.value, tf.value]));
          const [x, y, z] = transformPoint(cameraFromWorld, blockAt(take.truth, sensorTime));
          const { focal, width } = INTRINSICS[camera];
          const [cx, cy] = principalPoint(INTRINSICS[camera]);
          const [column, row] = [Math.round(cx + (focal * x) / z), Math.round(cy + (focal * y) / z)];
          const { pixels } = await decodeRgb(value.data as Uint8Array);
          const [r, g, b] = pixels.subarray((row * width + column) * 3, (row * width + column) * 3 + 3);
          return r! > 80 && g! < 60 && b! < 60;
        });
      return Promise.all(seen);
    };
    const phase = (name: string) => take.truth.phases.filter((each) => each.phase === name);
    const front = await redAt(TOPICS.frontImage, 'front', phase('rest'));
    const wrist = await redAt(TOPICS.wristImage, 'wrist', [
      ...phase('descend'),
      ...phase('lift'),
      ...phase('transport'),
    ]);
    expect(front.length).toBeGreaterThan(4);
    expect(wrist.length).toBeGreaterThan(15);
    expect(front).toEqual(front.map(() => true));
    expect(wrist).toEqual(wrist.map(() => true));
  });

  test('ends all its streams together', () => {
    const endTime = BigInt(take.truth.endTime);
    for (const { topic, rateHz, latencySecs } of STREAMS) {
      if (!rateHz) continue;
      const silentSecs = Number(endTime - decoded(take, topic).at(-1)!.logTime) / 1e9;
      expect(silentSecs).toBeGreaterThanOrEqual(0);
      expect(silentSecs).toBeLessThan(1.5 / rateHz + latencySecs[1]);
    }
  });

  test('sends the description and the fixed transforms once, at the start', () => {
    for (const topic of [TOPICS.robotDescription, TOPICS.tfStatic]) {
      const [only, ...others] = decoded(take, topic);
      expect(others).toEqual([]);
      expect(secsSinceStart(only!.logTime)).toBeLessThan(0.01);
    }
    expect(decoded(take, TOPICS.robotDescription)[0]!.value.data).toContain('<robot name="demo_arm">');
  });
});

/** The block's centre at an instant, on the line between the samples of the truth. */
function blockAt({ block }: DemoTruth, time: bigint): Vec3 {
  const next = block.findIndex((each) => BigInt(each.time) > time);
  const [before, after] = [block[next - 1]!, block[next]!];
  const share = Number(time - BigInt(before.time)) / Number(BigInt(after.time) - BigInt(before.time));
  const [x, y, z] = before.position.map((value, i) => value + (after.position[i]! - value) * share);
  return [x!, y!, z!];
}
