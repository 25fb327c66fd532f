import type { Contract } from '../../../schemas/contract.ts';
import { isJointType, type JointSample, jointSample } from '../joint-sample.ts';
import type { Observation } from '../observation.ts';
import type { CheckedStream } from '../subject.ts';

/** What needs more than this of an arm is no motion: a spike, or a command that jumps; per second squared. */
export const IMPOSSIBLE_ACCELERATION = 50;

/** What a message says of joints, in the order of the stream's first message, whatever its own order. */
export interface Joints {
  readonly names: readonly string[];
  readonly positions: Float64Array;
  /** Empty where the message has none; so too `efforts`. */
  readonly velocities: Float64Array;
  readonly efforts: Float64Array;
}

const NONE = new Float64Array(0);
/** Each message is read once for all checks. */
const read = new WeakMap<Observation, Joints | undefined>();
/** Drivers may change the order of their joints from message to message. */
const orders = new WeakMap<CheckedStream, readonly string[]>();

/** Undefined for a message that holds no joint positions, or other joints than the first did. */
export function jointsOf(observation: Observation): Joints | undefined {
  const known = read.get(observation);
  if (known) return known;
  const sample = jointSample(observation);
  const joints = sample && ordered(sample, observation.stream);
  read.set(observation, joints);
  return joints;
}

function ordered(
  { names, position, velocity, effort }: JointSample,
  stream: CheckedStream,
): Joints | undefined {
  const order = orders.get(stream) ?? names;
  orders.set(stream, order);
  if (order.length !== names.length) return undefined;
  const places = order.map((name, i) => (names[i] === name ? i : names.indexOf(name)));
  if (places.includes(-1)) return undefined;
  const inOrder = (values: ArrayLike<number>) =>
    values.length === names.length ? Float64Array.from(places, (place) => values[place]!) : NONE;
  return {
    names: order,
    positions: inOrder(position),
    velocities: inOrder(velocity),
    efforts: inOrder(effort),
  };
}

/** Fingers and grippers rest and jump by nature: checks of single joints leave them to those of grippers. */
export function isGripper(name: string): boolean {
  return /grip|finger|jaw/i.test(name) || isHandFinger(name);
}

/** Fingers that make a hand only together. */
export function isHandFinger(name: string): boolean {
  return /thumb/i.test(name) || /hand.*(index|middle|ring|pinky)/i.test(name);
}

export function isJointState(stream: CheckedStream): boolean {
  return stream.role === 'motion' && isJointType(stream.type);
}

export function isJointCommand(stream: CheckedStream): boolean {
  return stream.role === 'command' && isJointType(stream.type);
}

/** What the commands of a stream mean; undefined where the contract does not say it. */
export function actionSpaceOf(stream: CheckedStream, contract: Contract | undefined) {
  for (const feature of Object.values(contract?.features ?? {})) {
    if (feature.kind === 'vector' && feature.stream === stream.name && feature.actionSpace) {
      return feature.actionSpace;
    }
  }
  return undefined;
}
