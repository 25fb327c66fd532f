/** A message type's definition as MCAP carries it (specification: Schema record). */
export interface MessageSchema {
  /** `sensor_msgs/msg/JointState`. */
  readonly name: string;
  /** `ros2msg`, `ros2idl`, `jsonschema`, `protobuf`; empty when the messages describe themselves. */
  readonly encoding: string;
  /** The definition with all its dependencies, in the encoding's own form. */
  readonly data: Uint8Array;
}

/** One source of messages of one type on one topic (specification: Channel record). */
export interface Channel {
  readonly id: number;
  readonly topic: string;
  /** `cdr`, `json`, `protobuf`. */
  readonly messageEncoding: string;
  /** Absent for self-describing messages without a definition. */
  readonly schema: MessageSchema | undefined;
  /** For ROS 2: `offered_qos_profiles` and `topic_type_hash` as rosbag2 writes them. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** What a source knows of a channel before a file has given it an id. */
export type ChannelSpec = Omit<Channel, 'id'>;

/** One message as it lies in the file: undecoded, with the two instants that MCAP carries. */
export interface Message {
  readonly channel: Channel;
  readonly sequence: number;
  /** When the recorder received it. */
  readonly logTime: bigint;
  /** When the publisher handed it to the middleware; equals logTime where that is unknown. */
  readonly publishTime: bigint;
  /** Serialized payload. A view: copy what must outlive the turn that delivered it. */
  readonly data: Uint8Array;
}

/** Decoded messages are plain objects; numeric arrays are typed arrays. */
export type MessageValue = Readonly<Record<string, unknown>>;
