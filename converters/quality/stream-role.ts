import type { Contract } from '../../schemas/contract.ts';
import type { CheckedStream, StreamRole } from './subject.ts';

/** Where no contract says it: by type, and by what the topic is called. */
const ROLES: readonly (readonly [RegExp, StreamRole])[] = [
  [/\/(Image|CompressedImage|CompressedVideo|PointCloud2|LaserScan)$/, 'perception'],
  [/\/(WrenchStamped|TactileArray)$/, 'interaction'],
  [/\/(JointTrajectory|TwistStamped|Twist|JointJog)$/, 'command'],
  [/\/(JointState|PoseStamped|Odometry)$/, 'motion'],
];

/** What is known of a topic: by the contract where it names it, else guessed. */
export function checkedStream(topic: string, type: string, contract: Contract | undefined): CheckedStream {
  const entry = Object.entries(contract?.streams ?? {}).find(([, stream]) => stream.topic === topic);
  if (entry) return { name: entry[0], topic, type, role: entry[1].role, contract: entry[1] };
  const isCommand = /command|cmd|action|desired|target/i.test(topic) && !/camera|image/i.test(topic);
  const byType = ROLES.find(([pattern]) => pattern.test(type))?.[1] ?? 'context';
  const role = isCommand && byType !== 'perception' ? 'command' : byType;
  return { name: topic, topic, type, role, contract: undefined };
}

/** `sensor_msgs/msg/Image` for `sensor_msgs/Image`, as ROS 1 and some contracts write it. */
export function fullTypeName(type: string): string {
  return /^\w+\/\w+$/.test(type) ? type.replace('/', '/msg/') : type;
}

/** Types whose messages are one picture that can be looked at. */
export function isPictureType(type: string): boolean {
  return /^sensor_msgs\/(msg\/)?(Image|CompressedImage)$/.test(type);
}
