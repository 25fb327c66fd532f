import { expect, test } from 'vitest';
import type { SourceMessage, SourceSink } from '../../recorder/source.ts';
import { SourceError, UsageError } from '../../schemas/errors.ts';
import type { ChannelSpec } from '../../schemas/message.ts';
import { DemoRobot, type DemoRobotOptions } from './demo-robot.ts';
import { STREAMS, TOPICS } from './streams.ts';
import { START_TIME } from './take.fixture.ts';

/** A sink that keeps what it is given. */
class Ear implements SourceSink {
  readonly channels = new Map<number, ChannelSpec>();
  readonly messages: SourceMessage[] = [];
  readonly end = Promise.withResolvers<void>();
  roomAsked = 0;
  /** Replaced by a test that has no room. */
  roomLeft: Promise<void> = Promise.resolve();

  channel(channelKey: number, spec: ChannelSpec): void {
    this.channels.set(channelKey, spec);
  }
  message(message: SourceMessage): void {
    this.messages.push(message);
  }
  room(): Promise<void> {
    this.roomAsked++;
    return this.roomLeft;
  }
  failed(error: Error): void {
    this.end.reject(error);
  }
  ended(): void {
    this.end.resolve();
  }
}

const OPTIONS: DemoRobotOptions = { seed: 9, startTime: START_TIME, durationSecs: 0.4 };

async function listen(
  options: DemoRobotOptions,
  topics?: ReadonlySet<string>,
): Promise<{ ear: Ear; robot: DemoRobot }> {
  const [ear, robot] = [new Ear(), new DemoRobot(options)];
  await robot.start(ear, topics ? { topics } : {});
  await ear.end.promise;
  await robot.stop();
  return { ear, robot };
}

test('DemoRobot sends in real time what it sends as fast as possible, each message when it is due', async () => {
  const fast = await listen(OPTIONS);
  const began = performance.now();
  const slow = await listen({ ...OPTIONS, realTime: true });
  expect(performance.now() - began).toBeGreaterThan(400);
  expect(slow.ear.messages).toEqual(fast.ear.messages);
  expect(slow.robot.truth).toEqual(fast.robot.truth);

  const { messages, channels } = fast.ear;
  expect([...channels.values()].map(({ topic }) => topic)).toEqual(STREAMS.map(({ topic }) => topic));
  expect(messages.length).toBeGreaterThan(400);
  expect(
    messages.every(({ data }) => data.byteOffset === 0 && data.byteLength === data.buffer.byteLength),
  ).toBe(true);
  expect(fast.robot.clock.now()).toBe(START_TIME + 400_000_000n);
});

test('DemoRobot sends only the topics asked for, and a truth that survives JSON', async () => {
  const faults = [{ kind: 'drop', topic: TOPICS.tactile, fromSecs: 0.1, forSecs: 0.1 }] as const;
  const { ear, robot } = await listen({ ...OPTIONS, faults }, new Set([TOPICS.tactile]));
  expect([...ear.channels.values()].map(({ topic }) => topic)).toEqual([TOPICS.tactile]);
  expect(new Set(ear.messages.map(({ channelKey }) => channelKey))).toEqual(new Set(ear.channels.keys()));
  expect(ear.messages.length).toBeGreaterThan(28);
  expect(ear.messages.length).toBeLessThanOrEqual(30);
  expect(robot.truth!.faults[0]!.sensorTimes).toHaveLength(10);
  expect(JSON.parse(JSON.stringify(robot.truth))).toEqual(robot.truth);
});

test('DemoRobot starts once, waits for room and pushes nothing once it is stopped', async () => {
  const [ear, robot] = [new Ear(), new DemoRobot({ ...OPTIONS, durationSecs: 60 })];
  const full = Promise.withResolvers<void>();
  await robot.start(ear);
  await expect(robot.start(ear)).rejects.toThrow(SourceError);
  while (ear.messages.length < 50) await new Promise(setImmediate);
  ear.roomLeft = full.promise;
  const asked = ear.roomAsked;
  while (ear.roomAsked === asked) await new Promise(setImmediate);
  const heard = ear.messages.length;
  await robot.stop();
  full.resolve();
  await new Promise(setImmediate);
  expect(ear.messages).toHaveLength(heard);
  expect(robot.truth).toMatchObject({ seed: 9, startTime: String(START_TIME) });
});

test('DemoRobot refuses a fault that it cannot have', () => {
  const fault = { kind: 'drop', topic: TOPICS.tfStatic, fromSecs: 0, forSecs: 1 } as const;
  expect(() => new DemoRobot({ faults: [fault] })).toThrow(UsageError);
});
