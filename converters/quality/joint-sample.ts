import type { Observation } from './observation.ts';

/** Positions of joints at one instant, in the order of the message's names. */
export interface JointSample {
  /** On the sensor's clock where the message has a stamp, else when it was received. */
  readonly time: bigint;
  readonly logTime: bigint;
  /** Of the message, else `0`, `1`, …. */
  readonly names: readonly string[];
  /** Radians or metres. */
  readonly position: ArrayLike<number>;
  /** Empty where the message has none. */
  readonly velocity: ArrayLike<number>;
  readonly effort: ArrayLike<number>;
}

/** Whether messages of a type hold positions of joints. */
export function isJointType(type: string): boolean {
  return /\/(JointState|JointTrajectory|Float64MultiArray|Float32MultiArray)$/.test(type);
}

/** What a message says of joints; undefined where it says nothing of their positions. */
export function jointSample({ value, sensorTime, logTime }: Observation): JointSample | undefined {
  if (!value) return undefined;
  const [point = value] = Array.isArray(value.points) ? value.points : [];
  const position = numbersOf(point.position ?? point.positions ?? value.data);
  if (position.length === 0) return undefined;
  const named = value.name ?? value.joint_names;
  const names =
    Array.isArray(named) && named.length === position.length ? named.map(String) : ordinals(position.length);
  return {
    time: sensorTime ?? logTime,
    logTime,
    names,
    position,
    velocity: numbersOf(point.velocity ?? point.velocities),
    effort: numbersOf(point.effort),
  };
}

const none = new Float64Array(0);

function numbersOf(value: unknown): ArrayLike<number> {
  if (value instanceof Float64Array || value instanceof Float32Array) return value;
  return Array.isArray(value) && value.every((each) => typeof each === 'number') ? value : none;
}

const ordinalNames = new Map<number, readonly string[]>();

function ordinals(count: number): readonly string[] {
  let names = ordinalNames.get(count);
  if (!names) {
    names = Array.from({ length: count }, (_, i) => String(i));
    ordinalNames.set(count, names);
  }
  return names;
}
