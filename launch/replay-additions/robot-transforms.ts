import type { EpisodeReader } from '../../schemas/episode-reader.ts';
import { EpisodeError } from '../../schemas/errors.ts';
import type { ChannelSpec, MessageValue } from '../../schemas/message.ts';
import { createDecoder, createEncoder } from '../../schemas/message-codec.ts';
import type { AddedMessage, ReplayAddition } from '../../schemas/replay-addition.ts';
import { nanosToStamp, type Stamp } from '../../schemas/time.ts';
import { messageSchema } from '../demo-robot/definitions.ts';
import { DerivedTopic, topicsOfType } from './derived-topic.ts';
import { jointPose, type UrdfJoint, urdfJoints } from './urdf.ts';

const TF = '/tf';
const TF_STATIC = '/tf_static';
const ROBOT_DESCRIPTION = '/robot_description';
const SCHEMA = messageSchema('tf2_msgs/msg/TFMessage');
const encode = createEncoder(TF, SCHEMA);
const channel = (topic: string): ChannelSpec => ({
  topic,
  messageEncoding: 'cdr',
  schema: SCHEMA,
  metadata: new Map(),
});

/**
 * Where the robot's links are, for an episode that tells its joints and its description but no transforms:
 * viewers that move a robot by its frames would show it at zero. Nothing where the file has them.
 */
export function robotTransforms(reader: EpisodeReader): readonly ReplayAddition[] {
  const has = (topic: string) => reader.channels.values().some((each) => each.topic === topic);
  const isDescribed = has(ROBOT_DESCRIPTION) || reader.attachmentIndexes.some(({ name }) => isUrdf(name));
  const source = jointTopic(reader);
  if (has(TF) || !isDescribed || source === undefined) return [];
  let joints: readonly UrdfJoint[] = [];
  let read: Promise<void> | undefined;
  const prepare = () => {
    read ??= readDescription(reader).then((urdf) => {
      joints = urdfJoints(urdf);
    });
    return read;
  };
  const moving = new DerivedTopic(reader, {
    source,
    channel: channel(TF),
    prepare,
    derive: (value, logTime) =>
      transforms(
        joints.filter(({ kind }) => kind !== 'fixed'),
        value,
        stampOf(value) ?? nanosToStamp(logTime),
      ),
  });
  return has(TF_STATIC) ? [moving] : [moving, new FixedTransforms(reader, () => joints, prepare)];
}

/** The links that no joint moves, known from the beginning. */
class FixedTransforms implements ReplayAddition {
  readonly channels = [channel(TF_STATIC)];
  readonly prepare: () => Promise<void>;
  readonly #startTime: bigint;
  readonly #joints: () => readonly UrdfJoint[];

  constructor(reader: EpisodeReader, joints: () => readonly UrdfJoint[], prepare: () => Promise<void>) {
    this.#startTime = reader.startTime;
    this.#joints = joints;
    this.prepare = prepare;
  }

  async *messages({
    startTime,
  }: Parameters<ReplayAddition['messages']>[0]): AsyncGenerator<AddedMessage, void> {
    if (startTime <= this.#startTime) yield this.#message();
  }

  async latestBefore(time: bigint): Promise<readonly AddedMessage[]> {
    return time < this.#startTime ? [] : [this.#message()];
  }

  #message(): AddedMessage {
    const fixed = this.#joints().filter(({ kind }) => kind === 'fixed');
    const data = transforms(fixed, {}, nanosToStamp(this.#startTime));
    return { topic: TF_STATIC, logTime: this.#startTime, data };
  }
}

function transforms(joints: readonly UrdfJoint[], state: MessageValue, stamp: Stamp): Uint8Array {
  const names = Array.isArray(state.name) ? (state.name as unknown[]) : [];
  const positions = (state.position ?? []) as ArrayLike<number>;
  const positionOf = (joint: string) => positions[names.indexOf(joint)];
  return encode({
    transforms: joints.map((joint) => {
      const { position, orientation } = jointPose(joint, positionOf);
      return {
        header: { stamp, frame_id: joint.parent },
        child_frame_id: joint.child,
        transform: {
          translation: { x: position[0], y: position[1], z: position[2] },
          rotation: { x: orientation[0], y: orientation[1], z: orientation[2], w: orientation[3] },
        },
      };
    }),
  });
}

function stampOf(value: MessageValue): Stamp | undefined {
  const { stamp } = (value.header ?? {}) as { readonly stamp?: Stamp };
  return stamp;
}

/** What was reached, not what was commanded. */
function jointTopic(reader: EpisodeReader): string | undefined {
  const topics = topicsOfType(reader, 'sensor_msgs/JointState');
  const isState = (topic: string) => !/command|cmd|target|desired|goal|leader/i.test(topic);
  return topics.find((topic) => topic === '/joint_states') ?? topics.find(isState) ?? topics[0];
}

function isUrdf(name: string): boolean {
  return /\.urdf$/i.test(name);
}

async function readDescription(reader: EpisodeReader): Promise<string> {
  for await (const { name, data } of reader.attachments()) {
    if (isUrdf(name)) return new TextDecoder().decode(data);
  }
  const latest = await reader.latestBefore(reader.endTime, [ROBOT_DESCRIPTION]);
  const message = latest.get(ROBOT_DESCRIPTION);
  if (message) return String(createDecoder(message.channel)(message.data).data);
  throw new EpisodeError(reader.file, `"${reader.file}" holds no robot description after all.`);
}
