import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { calibrationSchema } from '../../schemas/calibration.ts';
import { CONTRACT_ATTACHMENT } from '../../schemas/episode.ts';
import { EpisodeWriter } from '../../schemas/episode-writer.ts';
import { UsageError } from '../../schemas/errors.ts';
import { createEncoder } from '../../schemas/message-codec.ts';
import { nanosToStamp } from '../../schemas/time.ts';
import { EPOCH, testChannel } from '../episode.fixture.ts';
import { calibrate, readCalibrations, writeCalibration } from './calibrate.ts';
import { random } from './rig.fixture.ts';

const CONTRACT = `kinescribe: 1
name: rig
robot: { model: left arm }
streams:
  joints: { topic: /joints, role: motion, type: sensor_msgs/msg/JointState, rateHz: 100 }
  wrench: { topic: /wrench, role: interaction, type: geometry_msgs/msg/WrenchStamped, rateHz: 100 }
features:
  observation.state: { kind: vector, stream: joints, field: position, shape: [1], toleranceSecs: 0.1 }
samples: { tickRateHz: 20 }
episode: { tasks: [move freely] }
`;
/** Standard deviation of the sensor's noise, newtons. */
const NOISE = 0.2;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kinescribe-calibrate-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Motion {
  readonly secs?: number;
  readonly contract?: string;
  /** Where the joint is. @default at rest for a second, then to and fro */
  readonly angle?: (secs: number) => number;
  /** What the force sensor says of its x axis. @default its noise */
  readonly force?: (noise: number, secs: number) => number;
}

async function freeMotion(
  name: string,
  {
    secs = 12,
    contract = CONTRACT,
    angle = (at) => 0.5 + Math.sin(Math.max(0, at - 1)),
    force: x = (noise) => noise,
  }: Motion = {},
): Promise<string> {
  const file = join(folder, `${name}.mcap`);
  const writer = await EpisodeWriter.open(file, { durability: 'none' });
  const data = new TextEncoder().encode(contract);
  if (contract)
    await writer.addAttachment({ name: CONTRACT_ATTACHMENT, mediaType: 'text/yaml', logTime: EPOCH, data });
  const joints = testChannel('/joints', 'sensor_msgs/msg/JointState');
  const wrench = testChannel('/wrench', 'geometry_msgs/msg/WrenchStamped');
  const [jointsId, wrenchId] = [writer.addChannel(joints), writer.addChannel(wrench)];
  const [encodeJoints, encodeWrench] = [
    createEncoder('/joints', joints.schema!),
    createEncoder('/wrench', wrench.schema!),
  ];
  const next = random(1);
  const normal = () => NOISE * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  for (let i = 0; i < secs * 100; i++) {
    const logTime = EPOCH + BigInt(i) * 10_000_000n;
    const header = { stamp: nanosToStamp(logTime), frame_id: '' };
    const q = { name: ['a'], position: [angle(i / 100)], velocity: [], effort: [] };
    const force = { x: x(normal(), i / 100), y: normal(), z: 9 + normal() };
    const torque = { x: normal() / 100, y: normal() / 100, z: normal() / 100 };
    const message = { sequence: i, logTime, publishTime: logTime };
    await writer.write({ ...message, channelId: jointsId, data: encodeJoints({ header, ...q }) });
    await writer.write({
      ...message,
      channelId: wrenchId,
      data: encodeWrench({ header, wrench: { force, torque } }),
    });
  }
  await writer.close();
  return file;
}

describe('calibrate()', () => {
  it('measures noise, reach and rest of a force sensor, and the home pose', async () => {
    const { calibration, doubts } = await calibrate(await freeMotion('free'), new Date(0));
    expect(doubts).toEqual([]);
    const { noise, r99, rest } = calibration.wrenches.wrench!;
    for (const axis of noise.slice(0, 3)) expect(axis).toBeCloseTo(NOISE, 1);
    for (const axis of noise.slice(3)) expect(axis).toBeCloseTo(NOISE / 100, 3);
    // Of three normal axes 99 % lie within 3.37 standard deviations.
    expect(r99 / NOISE).toBeGreaterThan(3);
    expect(r99 / NOISE).toBeLessThan(4);
    expect(rest![2]).toBeCloseTo(9, 0);
    expect(calibration.home).toEqual({ joints: { a: 0.5 } });
    expect(calibrationSchema.parse(calibration)).toEqual(calibration);
  });

  it.each<[string, Motion, RegExp]>([
    ['a stuck axis', { force: () => 0.4 }, /^wrench: force\.x never changes/],
    ['a noisy sensor', { force: (noise) => 40 * noise }, /^wrench: noise of [78]\.\d N/],
    [
      'a push',
      { force: (noise, secs) => noise + (secs % 4 < 0.5 ? 40 : 0) },
      /^wrench: free motion drives it by \d\d N/,
    ],
    ['a robot at rest', { angle: () => 0.5 }, /^no joint moved by more than 0\.00/],
    ['a start in motion', { angle: (secs) => Math.sin(secs) }, /^joints: a moved in the first half second/],
  ])('doubts what it measured of %s', async (name, motion, doubt) => {
    const { doubts } = await calibrate(await freeMotion(name, motion), new Date(0));
    expect(doubts).toContainEqual(expect.stringMatching(doubt));
  });

  it('doubts a rig of which streams say nothing', async () => {
    const contract = CONTRACT.replace(
      'features:',
      `  front: { topic: /front, role: perception, type: sensor_msgs/msg/Image, rateHz: 30 }
  commands: { topic: /commands, role: command, type: sensor_msgs/msg/JointState, rateHz: 50 }
  gripper: { topic: /gripper/wrench, role: interaction, type: geometry_msgs/msg/WrenchStamped, rateHz: 100 }
features:`,
    );
    const { doubts } = await calibrate(await freeMotion('silent', { contract }), new Date(0));
    expect(doubts).toEqual([
      'gripper: no force came',
      'front: no picture came that could be looked at',
      expect.stringMatching(/^no lag is to be found between commands and/),
    ]);
  });

  it('is kept in a library by robot', async () => {
    const { calibration } = await calibrate(await freeMotion('kept'), new Date(0));
    await writeCalibration(folder, calibration);
    expect((await readCalibrations(folder)).get('left arm')).toEqual(calibration);
  });

  it.each([
    ['three seconds', { secs: 3 }],
    ['no contract', { contract: '' }],
  ])('refuses an episode with %s', async (name, options) => {
    await expect(calibrate(await freeMotion(name, options), new Date(0))).rejects.toThrow(UsageError);
  });
});
