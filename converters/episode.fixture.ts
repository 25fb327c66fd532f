import type { Contract } from '../schemas/contract.ts';
import { type ContractFile, parseContract } from '../schemas/contract-file.ts';
import { EPISODE_RECORD, type EpisodeInfo } from '../schemas/episode.ts';
import { EpisodeReader } from '../schemas/episode-reader.ts';
import { EpisodeWriter } from '../schemas/episode-writer.ts';
import type { ChannelSpec, MessageSchema, MessageValue } from '../schemas/message.ts';
import { createEncoder } from '../schemas/message-codec.ts';
import { nanosToStamp } from '../schemas/time.ts';
import { episodeFrames, type FramesReport } from './episode-frames.ts';
import type { Frame } from './frame.ts';

/** Where the small episodes of tests lie in time. */
export const EPOCH = 1_700_000_000_000_000_000n;
export const MILLI = 1_000_000n;

const HEADER = `
================================================================================
MSG: std_msgs/Header
builtin_interfaces/Time stamp
string frame_id`;

const VECTOR = `
================================================================================
MSG: geometry_msgs/Vector3
float64 x
float64 y
float64 z`;

const QUATERNION = `
================================================================================
MSG: geometry_msgs/Quaternion
float64 x 0
float64 y 0
float64 z 0
float64 w 1`;

const DEFINITIONS = {
  'sensor_msgs/msg/JointState': `std_msgs/Header header
string[] name
float64[] position
float64[] velocity
float64[] effort${HEADER}`,
  'geometry_msgs/msg/WrenchStamped': `std_msgs/Header header
geometry_msgs/Wrench wrench${HEADER}
================================================================================
MSG: geometry_msgs/Wrench
geometry_msgs/Vector3 force
geometry_msgs/Vector3 torque${VECTOR}`,
  'geometry_msgs/msg/PoseStamped': `std_msgs/Header header
geometry_msgs/Pose pose${HEADER}
================================================================================
MSG: geometry_msgs/Pose
geometry_msgs/Point position
geometry_msgs/Quaternion orientation
================================================================================
MSG: geometry_msgs/Point
float64 x
float64 y
float64 z${QUATERNION}`,
  'tf2_msgs/msg/TFMessage': `geometry_msgs/TransformStamped[] transforms
================================================================================
MSG: geometry_msgs/TransformStamped
std_msgs/Header header
string child_frame_id
geometry_msgs/Transform transform${HEADER}
================================================================================
MSG: geometry_msgs/Transform
geometry_msgs/Vector3 translation
geometry_msgs/Quaternion rotation${VECTOR}${QUATERNION}`,
  'sensor_msgs/msg/CompressedImage': `std_msgs/Header header
string format
uint8[] data${HEADER}`,
  'sensor_msgs/msg/Image': `std_msgs/Header header
uint32 height
uint32 width
string encoding
uint8 is_bigendian
uint32 step
uint8[] data${HEADER}`,
  'sensor_msgs/msg/CameraInfo': `std_msgs/Header header
uint32 height
uint32 width
string distortion_model
float64[] d
float64[9] k
float64[9] r
float64[12] p
uint32 binning_x
uint32 binning_y${HEADER}`,
  'sensor_msgs/msg/PointCloud2': `std_msgs/Header header
uint32 height
uint32 width
sensor_msgs/PointField[] fields
bool is_bigendian
uint32 point_step
uint32 row_step
uint8[] data
bool is_dense${HEADER}
================================================================================
MSG: sensor_msgs/PointField
string name
uint32 offset
uint8 datatype
uint32 count`,
  'foxglove_msgs/msg/CompressedVideo': `builtin_interfaces/Time timestamp
string frame_id
uint8[] data
string format`,
  'std_msgs/msg/String': 'string data',
  'audio_common_msgs/msg/AudioData': 'uint8[] data',
  'audio_common_msgs/msg/AudioDataStamped': `std_msgs/Header header
audio_common_msgs/AudioData audio${HEADER}
================================================================================
MSG: audio_common_msgs/AudioData
uint8[] data`,
  'audio_common_msgs/msg/AudioInfo': `uint8 channels
uint32 sample_rate
string sample_format
uint32 bitrate
string coding_format`,
  'foxglove_msgs/msg/RawAudio': `builtin_interfaces/Time timestamp
uint8[] data
string format
uint32 sample_rate
uint32 number_of_channels`,
  'std_msgs/msg/Float64MultiArray': `std_msgs/MultiArrayLayout layout
float64[] data
================================================================================
MSG: std_msgs/MultiArrayLayout
std_msgs/MultiArrayDimension[] dim
uint32 data_offset
================================================================================
MSG: std_msgs/MultiArrayDimension
string label
uint32 size
uint32 stride`,
} as const;

export type TestType = keyof typeof DEFINITIONS;

/** A channel of one of the types above. @throws {RangeError} for another type. */
export function testChannel(topic: string, type: string): ChannelSpec {
  const definition = Object.entries(DEFINITIONS).find(([name]) => name === type)?.[1];
  if (definition === undefined) throw new RangeError(`No definition of "${type}" in this fixture`);
  const schema: MessageSchema = {
    name: type,
    encoding: 'ros2msg',
    data: new TextEncoder().encode(definition),
  };
  return { topic, messageEncoding: 'cdr', schema, metadata: new Map() };
}

/** One message of a test's episode; times are milliseconds after EPOCH. */
export interface TestMessage {
  /** Of the header. @default the receive time */
  readonly stamp?: number;
  /** @default the receive time */
  readonly publish?: number;
  /** Receive time. */
  readonly log: number;
  /** The message but its header. */
  readonly value: MessageValue;
}

export interface TestStream {
  readonly topic: string;
  readonly type: TestType;
  readonly messages: readonly TestMessage[];
}

/**
 * Writes an episode as any recorder would: messages in the order in which they were received.
 *
 * @param info what only our own recorder writes.
 */
export async function writeTestEpisode(
  file: string,
  streams: readonly TestStream[],
  info?: Pick<EpisodeInfo, 'id' | 'task'>,
): Promise<void> {
  const writer = await EpisodeWriter.open(file, { durability: 'none' });
  if (info) await writer.addMetadata(EPISODE_RECORD, new Map(Object.entries({ ...RECORDER_INFO, ...info })));
  const sent = streams.flatMap(({ topic, type, messages }) => {
    const schema: MessageSchema = {
      name: type,
      encoding: 'ros2msg',
      data: new TextEncoder().encode(DEFINITIONS[type]),
    };
    const channelId = writer.addChannel({ topic, messageEncoding: 'cdr', schema, metadata: new Map() });
    const encode = createEncoder(topic, schema);
    return messages.map(({ log, stamp = log, publish = log, value }) => {
      const header = { stamp: nanosToStamp(EPOCH + milliToNanos(stamp)), frame_id: '' };
      return {
        channelId,
        logTime: EPOCH + milliToNanos(log),
        publishTime: EPOCH + milliToNanos(publish),
        data: encode({ header, ...value }),
      };
    });
  });
  sent.sort((a, b) => Number(a.logTime - b.logTime));
  for (const [sequence, message] of sent.entries()) await writer.write({ sequence, ...message });
  await writer.close();
}

const RECORDER_INFO = {
  contract: 'test',
  contractDigest: `sha256:${'0'.repeat(64)}`,
  robot: 'test',
  operator: 'p1',
  source: 'demo',
  recorderVersion: '0.0.0',
  startTime: `${EPOCH}`,
  clockSystemTime: `${EPOCH}`,
  clockMonotonicNanos: '0',
} as const;

function milliToNanos(millis: number): bigint {
  return BigInt(Math.round(millis * 1e6));
}

/** Joint positions of joints a, b, c, … at instants in milliseconds, stamped when received. */
export function joints(topic: string, positions: Readonly<Record<number, readonly number[]>>): TestStream {
  const messages = Object.entries(positions).map(([log, position]) => ({
    log: Number(log),
    value: jointState(position),
  }));
  return { topic, type: 'sensor_msgs/msg/JointState', messages };
}

export function jointState(position: readonly number[], name = [...'abcdefg'].slice(0, position.length)) {
  return { name, position, velocity: [], effort: [] };
}

/** A contract of which only streams, features and samples matter. */
export function testContractFile(parts: string): ContractFile {
  return parseContract(
    `kinescribe: 1\nname: test\nrobot: { model: test }\nepisode: { tasks: [pick, place] }\n${parts}`,
    'test.yaml',
  );
}

export function testContract(parts: string): Contract {
  return testContractFile(parts).contract;
}

/** All frames of an episode, and what became of its ticks. */
export async function allFrames(
  file: string,
  contract: Contract,
): Promise<{ frames: Frame[]; report: FramesReport }> {
  await using reader = await EpisodeReader.open(file);
  const frames: Frame[] = [];
  const walk = episodeFrames(reader, contract);
  let step = await walk.next();
  for (; !step.done; step = await walk.next()) frames.push(step.value);
  return { frames, report: step.value };
}
