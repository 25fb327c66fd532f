import type { ChannelSpec } from '../schemas/message.ts';
import { NANOS_PER_SEC } from '../schemas/time.ts';

/** A stream of messages that are known beforehand: n-th payload and n-th log time follow from n. */
export interface SyntheticStream {
  readonly spec: ChannelSpec;
  readonly rateHz: number;
  readonly payloadBytes: number;
}

function stream(topic: string, type: string, rateHz: number, payloadBytes: number): SyntheticStream {
  const schema = { name: type, encoding: 'ros2msg', data: new TextEncoder().encode('uint8[] data\n') };
  return { spec: { topic, messageEncoding: 'cdr', schema, metadata: new Map() }, rateHz, payloadBytes };
}

/** What a robot with two cameras, a fast arm and a force sensor sends: 16 MB/s in 2145 messages. */
export const FULL_LOAD: readonly SyntheticStream[] = [
  stream('/wrist/compressed', 'sensor_msgs/msg/CompressedImage', 30, 60_000),
  stream('/scene/raw', 'sensor_msgs/msg/Image', 15, 921_600),
  stream('/joint_states', 'sensor_msgs/msg/JointState', 1000, 200),
  stream('/wrench', 'geometry_msgs/msg/WrenchStamped', 1000, 120),
  stream('/command', 'trajectory_msgs/msg/JointTrajectory', 100, 400),
];

/** Log time of the n-th message, nanoseconds after the first. */
export function timeOf({ rateHz }: SyntheticStream, n: number): bigint {
  return (BigInt(n) * NANOS_PER_SEC) / BigInt(rateHz);
}

/** Makes payloads of one stream: noise as a sensor has it, with the number of the message in front. */
export function payloadMaker({ spec, payloadBytes }: SyntheticStream): (n: number) => Uint8Array {
  // Pictures that are compressed look like noise in all bits, other payloads in the lower ones.
  const noiseBits = /Compressed/.test(spec.schema?.name ?? '') ? 8 : 4;
  const payload = new Uint8Array(payloadBytes);
  let state = payloadBytes;
  for (let i = 4; i < payloadBytes; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0; // Numerical Recipes' LCG
    payload[i] = (state >>> (32 - noiseBits)) + ((i >> 6) & 0x0f);
  }
  const view = new DataView(payload.buffer);
  return (n) => {
    view.setUint32(0, n, true);
    return payload;
  };
}
