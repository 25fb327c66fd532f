import { createEncoder } from '../schemas/message-codec.ts';
import { loadDefinition } from './definitions.ts';
import type { RequestedQos } from './qos.ts';
import { readRosEnvironment } from './ros-environment.ts';

/** A stream of a test's robot: every message can be told from every other. */
export interface TestStream {
  readonly topic: string;
  readonly type: keyof typeof MESSAGES;
  readonly rateHz: number;
  readonly count: number;
  readonly qos: RequestedQos;
}

export const RELIABLE: RequestedQos = { reliability: 'reliable', durability: 'volatile', depth: 5000 };
export const BEST_EFFORT: RequestedQos = { ...RELIABLE, reliability: 'best_effort' };
export const LATCHED: RequestedQos = { ...RELIABLE, durability: 'transient_local' };

export const JOINTS: TestStream = {
  topic: '/joint_states',
  type: 'sensor_msgs/msg/JointState',
  rateHz: 1000,
  count: 1000,
  qos: RELIABLE,
};
export const WRENCH: TestStream = {
  topic: '/wrench',
  type: 'geometry_msgs/msg/WrenchStamped',
  rateHz: 500,
  count: 500,
  qos: RELIABLE,
};
export const CAMERA: TestStream = {
  topic: '/camera/image',
  type: 'sensor_msgs/msg/Image',
  rateHz: 10,
  count: 10,
  qos: RELIABLE,
};
export const TF_STATIC: TestStream = {
  topic: '/tf_static',
  type: 'tf2_msgs/msg/TFMessage',
  rateHz: 1000,
  count: 3,
  qos: LATCHED,
};
export const STATE: TestStream = {
  topic: '/state',
  type: 'std_msgs/msg/String',
  rateHz: 100,
  count: 50,
  qos: RELIABLE,
};

export const TRAJECTORY: TestStream = {
  topic: '/trajectory',
  type: 'trajectory_msgs/msg/JointTrajectoryPoint',
  rateHz: 100,
  count: 10,
  qos: RELIABLE,
};

const header = (index: number) => ({ stamp: { sec: index, nanosec: 0 }, frame_id: 'robot' });
const vector = (x: number) => ({ x, y: 0, z: -x });

/** Message number `index` of each type. */
const MESSAGES = {
  'sensor_msgs/msg/JointState': (index: number) => ({
    header: header(index),
    name: Array.from({ length: 14 }, (_, joint) => `joint${joint}`),
    position: new Float64Array(14).fill(index / 1000),
    velocity: new Float64Array(14).fill(1),
    effort: new Float64Array(14),
  }),
  'geometry_msgs/msg/WrenchStamped': (index: number) => ({
    header: header(index),
    wrench: { force: vector(index), torque: vector(-index) },
  }),
  'tf2_msgs/msg/TFMessage': (index: number) => ({
    transforms: [
      {
        header: header(index),
        child_frame_id: `camera${index}`,
        transform: { translation: vector(index), rotation: { ...vector(0), w: 1 } },
      },
    ],
  }),
  'sensor_msgs/msg/Image': (index: number) => ({
    header: header(index),
    height: 480,
    width: 640,
    encoding: 'rgb8',
    is_bigendian: 0,
    step: 1920,
    data: new Uint8Array(640 * 480 * 3).fill(index),
  }),
  'std_msgs/msg/String': (index: number) => ({ data: `message ${index}` }),
  'trajectory_msgs/msg/JointTrajectoryPoint': (index: number) => ({
    positions: new Float64Array(7).fill(index),
    velocities: [],
    accelerations: [],
    effort: [],
    time_from_start: { sec: index, nanosec: 0 },
  }),
  'std_msgs/msg/Float64': (index: number) => ({ data: index }),
};

/** Makes the function that serializes message number `index` of a stream. */
export async function payloads({ topic, type }: TestStream): Promise<(index: number) => Uint8Array> {
  const schema = await loadDefinition(type, readRosEnvironment().prefixes);
  if (!schema) throw new TypeError(`The package of "${type}" is not installed.`);
  const encode = createEncoder(topic, schema);
  return (index) => encode(MESSAGES[type](index));
}
