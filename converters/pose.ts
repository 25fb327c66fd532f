import type { MessageValue } from '../schemas/message.ts';
import { conjugate, multiply, type Quaternion } from '../schemas/quaternion.ts';
import { normalized, rotate, slerp } from './rotation.ts';

/** Rigid transform target-from-source: where the source frame lies in the target frame. */
export interface Pose {
  /** [x, y, z], metres. */
  readonly position: readonly [number, number, number];
  readonly rotation: Quaternion;
}

export const IDENTITY: Pose = { position: [0, 0, 0], rotation: [0, 0, 0, 1] };

/** Of a `geometry_msgs/msg/Transform`; undefined where its quaternion is no rotation. */
export function poseOf({ translation, rotation }: MessageValue): Pose | undefined {
  const t = translation as Readonly<Record<'x' | 'y' | 'z', number>>;
  const r = rotation as Readonly<Record<'x' | 'y' | 'z' | 'w', number>>;
  const unit = normalized([r.x, r.y, r.z, r.w]);
  return unit && { position: [t.x, t.y, t.z], rotation: unit };
}

/** c_from_a of c_from_b and b_from_a. */
export function compose(cFromB: Pose, bFromA: Pose): Pose {
  const [x, y, z] = rotate(cFromB.rotation, bFromA.position);
  const [px, py, pz] = cFromB.position;
  return { position: [px + x, py + y, pz + z], rotation: multiply(cFromB.rotation, bFromA.rotation) };
}

export function invert({ position, rotation }: Pose): Pose {
  const back = conjugate(rotation);
  const [x, y, z] = rotate(back, position);
  return { position: [-x, -y, -z], rotation: back };
}

/** Positions on the line, rotations on the shorter arc; `weight` of `to`, 0 to 1. */
export function between(from: Pose, to: Pose, weight: number): Pose {
  const mixed = (i: 0 | 1 | 2) => from.position[i] + weight * (to.position[i] - from.position[i]);
  return {
    position: [mixed(0), mixed(1), mixed(2)],
    rotation: slerp(from.rotation, to.rotation, weight),
  };
}
