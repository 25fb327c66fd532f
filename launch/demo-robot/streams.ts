import { formatOfferedQos, type OfferedQos } from '../../recorder/qos.ts';
import type { ChannelSpec } from '../../schemas/message.ts';
import { messageSchema } from './definitions.ts';

/** One topic of the robot: what it carries, how often, and how late it arrives. */
export interface StreamSpec {
  readonly topic: string;
  readonly type: string;
  /** Messages per second; absent for a latched topic, sent once at the start. */
  readonly rateHz?: number;
  /** First sample after the start, seconds. @default a share of a period, drawn from the seed */
  readonly phaseSecs?: number;
  /** Topic whose sampling instants these messages share. */
  readonly sampledWith?: string;
  /** Standard deviation of the sampling instants around the even grid, seconds. */
  readonly jitterSecs: number;
  /** From the sensor's instant to the recorder's: shortest and mean excess over it, seconds. */
  readonly latencySecs: readonly [number, number];
}

export const TOPICS = {
  jointStates: '/joint_states',
  wrench: '/wrist/wrench',
  tactile: '/gripper/tactile',
  frontImage: '/camera/front/image/compressed',
  frontInfo: '/camera/front/camera_info',
  wristImage: '/camera/wrist/image/compressed',
  wristInfo: '/camera/wrist/camera_info',
  jointCommands: '/joint_commands',
  gripperCommand: '/gripper/command',
  gripperState: '/gripper/state',
  tf: '/tf',
  tfStatic: '/tf_static',
  robotDescription: '/robot_description',
  diagnostics: '/diagnostics',
} as const;

export type Topic = (typeof TOPICS)[keyof typeof TOPICS];

const JOINTS = 'sensor_msgs/msg/JointState';
const WRENCH = 'geometry_msgs/msg/WrenchStamped';
const TACTILE = 'kinescribe_msgs/msg/TactileArray';
const DIAGNOSTICS = 'diagnostic_msgs/msg/DiagnosticArray';
const IMAGE = 'sensor_msgs/msg/CompressedImage';
const INFO = 'sensor_msgs/msg/CameraInfo';
const TRANSFORMS = 'tf2_msgs/msg/TFMessage';

/** A latched topic's only message is handed over when the robot starts. */
const LATCHED = { phaseSecs: 0, jitterSecs: 0, latencySecs: [0.0005, 0] } as const;
const CAMERA = { rateHz: 30, jitterSecs: 250e-6 } as const;
/** Commands leave right after the controller has computed them. */
const COMMAND = { rateHz: 50, phaseSecs: 300e-6, jitterSecs: 40e-6, latencySecs: [300e-6, 100e-6] } as const;

/** rmw's word for no limit. */
const FOREVER = { sec: 9_223_372_036n, nsec: 854_775_807n };

/** Position in this list is the channel's key. */
export const STREAMS: readonly (StreamSpec & { readonly topic: Topic })[] = [
  { topic: TOPICS.robotDescription, type: 'std_msgs/msg/String', ...LATCHED },
  { topic: TOPICS.tfStatic, type: TRANSFORMS, ...LATCHED },
  { topic: TOPICS.jointStates, type: JOINTS, rateHz: 200, jitterSecs: 40e-6, latencySecs: [500e-6, 200e-6] },
  { topic: TOPICS.wrench, type: WRENCH, rateHz: 500, jitterSecs: 15e-6, latencySecs: [300e-6, 100e-6] },
  { topic: TOPICS.tactile, type: TACTILE, rateHz: 100, jitterSecs: 100e-6, latencySecs: [0.003, 600e-6] },
  { topic: TOPICS.frontImage, type: IMAGE, ...CAMERA, latencySecs: [0.03, 0.003] },
  {
    topic: TOPICS.frontInfo,
    type: INFO,
    ...CAMERA,
    latencySecs: [0.028, 0.002],
    sampledWith: TOPICS.frontImage,
  },
  { topic: TOPICS.wristImage, type: IMAGE, ...CAMERA, latencySecs: [0.024, 0.003] },
  {
    topic: TOPICS.wristInfo,
    type: INFO,
    ...CAMERA,
    latencySecs: [0.022, 0.002],
    sampledWith: TOPICS.wristImage,
  },
  { topic: TOPICS.jointCommands, type: JOINTS, ...COMMAND },
  { topic: TOPICS.gripperCommand, type: JOINTS, ...COMMAND },
  { topic: TOPICS.gripperState, type: JOINTS, rateHz: 50, jitterSecs: 150e-6, latencySecs: [0.002, 500e-6] },
  { topic: TOPICS.tf, type: TRANSFORMS, rateHz: 60, jitterSecs: 100e-6, latencySecs: [800e-6, 200e-6] },
  { topic: TOPICS.diagnostics, type: DIAGNOSTICS, rateHz: 1, jitterSecs: 1e-3, latencySecs: [1e-3, 500e-6] },
];

/** The channel as a recorder sees it. */
export function channelOf(spec: StreamSpec): ChannelSpec {
  return {
    topic: spec.topic,
    messageEncoding: 'cdr',
    schema: messageSchema(spec.type),
    metadata: new Map([['offered_qos_profiles', formatOfferedQos([qosOf(spec)], 'names')]]),
  };
}

/** What a ROS 2 publisher offers that was given a depth and, for a latched topic, its durability. */
function qosOf({ rateHz }: StreamSpec): OfferedQos {
  const isLatched = rateHz === undefined;
  return {
    ...{ history: 'keep_last', depth: isLatched ? 1 : 10, reliability: 'reliable' },
    durability: isLatched ? 'transient_local' : 'volatile',
    ...{ deadline: FOREVER, lifespan: FOREVER },
    ...{ liveliness: 'automatic', livelinessLeaseDuration: FOREVER },
    avoidRosNamespaceConventions: false,
  };
}
