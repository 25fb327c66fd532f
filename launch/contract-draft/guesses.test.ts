import { describe, expect, it } from 'vitest';
import type { MessageValue } from '../../schemas/message.ts';
import { secsToNanos } from '../../schemas/time.ts';
import type { ObservedTopic } from './observed-topic.ts';
import { guessClocks } from './stream-clocks.ts';
import { guessRole, reasonToLeaveOut, streamNames } from './stream-guesses.ts';
import { rhythmOf, roundUp } from './stream-rhythm.ts';
import { guessVector } from './vector-guess.ts';

describe('guessRole()', () => {
  it.each([
    ['/camera/wrist/image_raw', 'sensor_msgs/msg/Image', 'perception'],
    ['/camera/wrist/image_raw/compressed', 'sensor_msgs/msg/CompressedImage', 'perception'],
    ['/camera/wrist/camera_info', 'sensor_msgs/msg/CameraInfo', 'context'],
    ['/gelsight_left/image', 'sensor_msgs/msg/Image', 'interaction'],
    ['/points', 'foxglove.PointCloud', 'perception'],
    ['/joint_states', 'sensor_msgs/msg/JointState', 'motion'],
    ['/leader/joint_states', 'sensor_msgs/msg/JointState', 'command'],
    ['/arm_controller/command', 'std_msgs/msg/Float64MultiArray', 'command'],
    ['/arm/joint_trajectory', 'trajectory_msgs/msg/JointTrajectory', 'command'],
    ['/cmd_vel', 'geometry_msgs/msg/Twist', 'command'],
    ['/odom', 'nav_msgs/msg/Odometry', 'motion'],
    ['/ee_pose', 'geometry_msgs/msg/PoseStamped', 'motion'],
    ['/recommended', 'std_msgs/msg/Float64', undefined],
    ['/wrist/ft', 'geometry_msgs/msg/WrenchStamped', 'interaction'],
    ['/load_cell_data', 'crab_interfaces/msg/LoadCell', 'interaction'],
    ['/finger/tactile', 'std_msgs/msg/Float32MultiArray', 'interaction'],
    ['/servo/position_data', 'crab_interfaces/msg/ServoData', 'motion'],
    ['/tf', 'tf2_msgs/msg/TFMessage', 'context'],
    ['/robot_description', 'std_msgs/msg/String', 'context'],
    ['/anything', 'my_msgs/msg/Anything', undefined],
  ])('takes %s of %s for %s', (topic, type, role) => {
    expect(guessRole(topic, type)?.role).toBe(role);
  });
});

describe('reasonToLeaveOut()', () => {
  it.each([
    ['/rosout', 'rcl_interfaces/msg/Log', true],
    ['/arm/_hidden', 'std_msgs/msg/String', true],
    ['imu', 'sensor_msgs/msg/Imu', true],
    ['/imu', 'no type at all', true],
    ['/imu', 'sensor_msgs/msg/Imu', false],
    ['/pose', 'foxglove.PoseInFrame', false],
  ])('judges %s of %s', (topic, type, isLeftOut) => {
    expect(reasonToLeaveOut(topic, type) !== undefined).toBe(isLeftOut);
  });
});

describe('streamNames()', () => {
  it('names streams shortly, validly and each once', () => {
    const topics = {
      '/camera/front/image/compressed': 'front',
      '/camera/front/image_raw': 'front_2',
      '/camera/front/camera_info': 'front_info',
      '/camera/image_raw': 'camera',
      '/camera/camera_info': 'camera_info',
      '/joint_states': 'joint_states',
      '/left/joint_states': 'left_joint_states',
      '/3d-scan/data': 's3d_scan',
      '/image': 'image',
    };
    expect(Object.fromEntries(streamNames(Object.keys(topics)))).toEqual(topics);
  });
});

describe('rhythmOf()', () => {
  const every = (secs: number, count: number) =>
    Array.from({ length: count }, (_, i) => secsToNanos(i * secs));

  it('finds the rate a driver was set to, whatever is lost', () => {
    const times = every(1 / 29.7, 100).filter((_, i) => i < 40 || i > 60);
    expect(rhythmOf(times)).toMatchObject({ rateHz: 30 });
    expect(rhythmOf(times)?.largestGapSecs).toBeCloseTo(22 / 29.7, 3);
    expect(rhythmOf(every(1 / 37, 100))?.rateHz).toBe(37);
  });

  it('gives no rate to bursts, to few messages, and nothing to a single instant', () => {
    const bursts = every(0.1, 50).flatMap((time) => [time, time + 100n, time + 200n]);
    expect(rhythmOf(bursts)?.rateHz).toBeUndefined();
    expect(rhythmOf(every(1, 5))?.rateHz).toBeUndefined();
    expect(rhythmOf([5n, 5n, 5n])).toBeUndefined();
    expect(rhythmOf([])).toBeUndefined();
  });

  it('does not mind the order of the times', () => {
    expect(rhythmOf(every(0.01, 50).reverse())).toEqual(rhythmOf(every(0.01, 50)));
  });
});

describe('roundUp()', () => {
  it.each([
    [0.0213, 0.022],
    [0.02, 0.02],
    [0.0667, 0.067],
    [1.234, 1.3],
    [12.01, 13],
  ])('makes %d %d', (secs, rounded) => {
    expect(roundUp(secs)).toBe(rounded);
  });
});

describe('guessVector()', () => {
  const joints = (name: string[], position: number[] = name.map((_, i) => i)) => ({
    ...{ name, position: Float64Array.from(position) },
    ...{ velocity: new Float64Array(), effort: new Float64Array() },
  });
  const xyz = { x: 1, y: 2, z: 3 };
  const ROWS: [string, string, MessageValue[], object | RegExp][] = [
    [
      'joints by name, runs of numbers shortened',
      'sensor_msgs/msg/JointState',
      [joints(['joint1', 'joint2', 'joint3', 'finger']), joints(['finger', 'joint3', 'joint2', 'joint1'])],
      {
        fields: ['position[name=joint1..joint3,finger]'],
        shape: [4],
        names: ['joint1', 'joint2', 'joint3', 'finger'],
      },
    ],
    [
      'zero-padded joint names as they are',
      'sensor_msgs/msg/JointState',
      [joints(['j01', 'j02', 'j9', 'j10'])],
      { fields: ['position[name=j01,j02,j9..j10]'], shape: [4] },
    ],
    [
      'only the joints that every message holds',
      'sensor_msgs/msg/JointState',
      [joints(['a', 'b', 'c']), joints(['b', 'c'])],
      { fields: ['position[name=b,c]'], names: ['b', 'c'] },
    ],
    [
      'joints without names by position',
      'sensor_msgs/msg/JointState',
      [{ ...joints([]), position: Float64Array.of(1, 2) }],
      { fields: ['position'], shape: [2] },
    ],
    [
      'joints whose names a path cannot hold by position',
      'sensor_msgs/msg/JointState',
      [joints(['a,b', 'c]'])],
      { fields: ['position'], shape: [2] },
    ],
    [
      'nothing of joints that take turns',
      'sensor_msgs/msg/JointState',
      [joints(['a']), joints(['b', 'c'])],
      /none in common/,
    ],
    ['nothing of empty joints', 'sensor_msgs/msg/JointState', [joints([], [])], /empty/],
    [
      'force and torque',
      'geometry_msgs/msg/WrenchStamped',
      [{ header: {}, wrench: { force: xyz, torque: xyz } }],
      { fields: ['wrench.force', 'wrench.torque'], shape: [6], unit: 'N, torque Nm' },
    ],
    [
      'a grid as the message tells it',
      'my_msgs/msg/Skin',
      [{ header: {}, rows: 2, cols: 3, data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
      { fields: ['data'], shape: [2, 3] },
    ],
    [
      'every array of a message of unknown type',
      'my_msgs/msg/Arm',
      [{ seq: 1, q: [1, 2], dq: Float64Array.of(3, 4), name: 'left', q_covariance: [1, 1] }],
      { fields: ['q', 'dq'], shape: [4] },
    ],
    [
      'the plain numbers where there is no array',
      'my_msgs/msg/Gripper',
      [{ header: {}, width: 0.1, force: 2, closed: true, text: 'x', at: xyz }],
      { fields: ['width', 'force', 'closed', 'at'], shape: [6] },
    ],
    [
      'whole numbers too large for float32 as float64',
      'std_msgs/msg/Int64',
      [{ data: 2n ** 40n }],
      { dtype: 'float64' },
    ],
    [
      'nothing of arrays that change their size',
      'my_msgs/msg/List',
      [{ data: [1] }, { data: [1, 2] }],
      /differing counts/,
    ],
    ['nothing of clouds', 'my_msgs/msg/Cloud', [{ data: new Float32Array(10_000) }], /10000 numbers/],
    ['nothing of words', 'std_msgs/msg/String', [{ data: 'words' }], /no numbers/],
    ['nothing of nothing', 'my_msgs/msg/Any', [], /no message was decoded/],
  ];
  it.each(ROWS)('takes %s', (_, type, samples, expected) => {
    const guess = guessVector(type, samples);
    if (expected instanceof RegExp) expect(guess).toMatch(expected);
    else expect(guess).toMatchObject(expected);
  });
});

describe('guessClocks()', () => {
  const START = secsToNanos(1_700_000_000);
  /** Ten messages a tenth of a second apart; ages in seconds, undefined for a type without a header. */
  const topic = (name: string, stampAge: number | 'still' | undefined, publishAge = 0): ObservedTopic => {
    const logTimes = Array.from({ length: 10 }, (_, i) => START + secsToNanos(i / 10));
    const sensorTimes =
      stampAge === 'still'
        ? logTimes.map(() => START)
        : stampAge === undefined
          ? undefined
          : logTimes.map((time) => time - secsToNanos(stampAge));
    const publishTimes = logTimes.map((time) => time - secsToNanos(publishAge));
    const facts = {
      offeredQos: undefined,
      otherTypes: [],
      messageCount: 10,
      bytes: 0,
      samples: [],
      fault: undefined,
      picture: undefined,
    };
    return { topic: name, type: 'x', logTimes, publishTimes, sensorTimes, ...facts };
  };
  const exceptions = (topics: ObservedTopic[]) =>
    Object.fromEntries([...guessClocks(topics).exceptions].map(([name, { clock }]) => [name, clock]));

  it('takes the stamps where they agree, also those of a clock of their own', () => {
    expect(guessClocks([topic('/a', 0.01), topic('/b', 0.05)])).toMatchObject({ clock: 'sensor' });
    expect(guessClocks([topic('/a', 1e9), topic('/b', 1e9 + 1)])).toMatchObject({ clock: 'sensor' });
  });

  it('takes another clock for streams without a usable stamp', () => {
    const topics = [
      topic('/a', 0.01),
      topic('/bare', undefined),
      topic('/published', undefined, 0.002),
      topic('/still', 'still'),
    ];
    expect(guessClocks(topics).clock).toBe('sensor');
    expect(exceptions([...topics, topic('/b', 0.02), topic('/far', 4000)])).toEqual({
      ...{ '/bare': 'log', '/published': 'publish', '/still': 'log', '/far': 'log' },
    });
  });

  it('takes receive times for all where stamps are of a clock that not all share, or nobody has', () => {
    expect(guessClocks([topic('/a', 1e9), topic('/bare', undefined)])).toMatchObject({ clock: 'log' });
    expect(exceptions([topic('/a', 1e9), topic('/bare', undefined)])).toEqual({});
    expect(guessClocks([topic('/bare', undefined)])).toMatchObject({ clock: 'log' });
    expect(guessClocks([])).toMatchObject({ clock: 'log' });
  });
});
