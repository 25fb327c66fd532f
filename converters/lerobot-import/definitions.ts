import type { MessageSchema } from '../../schemas/message.ts';

const SEPARATOR = '='.repeat(80);
const HEADER = [
  'MSG: std_msgs/Header\nbuiltin_interfaces/Time stamp\nstring frame_id',
  'MSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec',
];

export const JOINT_STATE = messageSchema('sensor_msgs/msg/JointState', [
  'std_msgs/Header header\nstring[] name\nfloat64[] position\nfloat64[] velocity\nfloat64[] effort',
  ...HEADER,
]);

export const COMPRESSED_IMAGE = messageSchema('sensor_msgs/msg/CompressedImage', [
  'std_msgs/Header header\nstring format\nuint8[] data',
  ...HEADER,
]);

export const COMPRESSED_VIDEO = messageSchema('foxglove_msgs/msg/CompressedVideo', [
  'builtin_interfaces/Time timestamp\nstring frame_id\nuint8[] data\nstring format',
  'MSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec',
]);

export const FLOAT_ARRAY = messageSchema('std_msgs/msg/Float64MultiArray', [
  'std_msgs/MultiArrayLayout layout\nfloat64[] data',
  'MSG: std_msgs/MultiArrayLayout\nstd_msgs/MultiArrayDimension[] dim\nuint32 data_offset',
  'MSG: std_msgs/MultiArrayDimension\nstring label\nuint32 size\nuint32 stride',
]);

export const TEXT = messageSchema('std_msgs/msg/String', ['string data']);

/** A type's definition and those of its parts, as rosbag2 stores them. */
function messageSchema(name: string, parts: readonly string[]): MessageSchema {
  return { name, encoding: 'ros2msg', data: new TextEncoder().encode(parts.join(`\n${SEPARATOR}\n`)) };
}
