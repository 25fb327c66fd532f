import { conjugate, multiply, type Quaternion } from '../../schemas/quaternion.ts';

/** [x, y, z], metres. */
export type Vec3 = readonly [number, number, number];

/** Rigid transform target-from-source: where the source frame lies in the target frame. */
export interface Pose {
  readonly position: Vec3;
  readonly orientation: Quaternion;
}

export const IDENTITY: Pose = { position: [0, 0, 0], orientation: [0, 0, 0, 1] };

export function add(a: Vec3, b: Vec3): Vec3 {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
}

export function subtract(a: Vec3, b: Vec3): Vec3 {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

export function scale(a: Vec3, factor: number): Vec3 {
  return [a[0] * factor, a[1] * factor, a[2] * factor];
}

export function dot(a: Vec3, b: Vec3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

export function cross(a: Vec3, b: Vec3): Vec3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

export function norm(a: Vec3): number {
  return Math.sqrt(dot(a, a));
}

export function normalize(a: Vec3): Vec3 {
  return scale(a, 1 / norm(a));
}

export function rotate(q: Quaternion, v: Vec3): Vec3 {
  const axis: Vec3 = [q[0], q[1], q[2]];
  const twice = scale(cross(axis, v), 2);
  return add(add(v, scale(twice, q[3])), cross(axis, twice));
}

/** Rotation by an angle in radians about a unit axis. */
export function axisAngle(axis: Vec3, angle: number): Quaternion {
  const sine = Math.sin(angle / 2);
  return [axis[0] * sine, axis[1] * sine, axis[2] * sine, Math.cos(angle / 2)];
}

/** The rotation whose matrix has these columns: the source's axes seen in the target. */
export function fromAxes(x: Vec3, y: Vec3, z: Vec3): Quaternion {
  const trace = x[0] + y[1] + z[2];
  const diagonal = [x[0], y[1], z[2], trace];
  const rows: readonly Quaternion[] = [
    [1 + 2 * x[0] - trace, x[1] + y[0], z[0] + x[2], y[2] - z[1]],
    [x[1] + y[0], 1 + 2 * y[1] - trace, y[2] + z[1], z[0] - x[2]],
    [z[0] + x[2], y[2] + z[1], 1 + 2 * z[2] - trace, x[1] - y[0]],
    [y[2] - z[1], z[0] - x[2], x[1] - y[0], 1 + trace],
  ];
  // Shepperd's method: every row is the quaternion times a factor; the row of the largest component
  // loses nothing near 180 degrees.
  const q = rows[diagonal.indexOf(Math.max(...diagonal))]!;
  const length = Math.hypot(...q);
  return [q[0] / length, q[1] / length, q[2] / length, q[3] / length];
}

/** c_from_a of c_from_b and b_from_a. */
export function compose(cFromB: Pose, bFromA: Pose): Pose {
  return {
    position: add(cFromB.position, rotate(cFromB.orientation, bFromA.position)),
    orientation: multiply(cFromB.orientation, bFromA.orientation),
  };
}

export function transformPoint({ position, orientation }: Pose, point: Vec3): Vec3 {
  return add(position, rotate(orientation, point));
}

export function invert({ position, orientation }: Pose): Pose {
  const back = conjugate(orientation);
  return { position: scale(rotate(back, position), -1), orientation: back };
}

/** Rotation vector (axis times angle, radians) that takes `from` to `to`, the short way round. */
export function rotationBetween(from: Quaternion, to: Quaternion): Vec3 {
  const [x, y, z, w] = multiply(to, conjugate(from));
  const sine = Math.hypot(x, y, z);
  if (sine < 1e-12) return [0, 0, 0];
  const angle = 2 * Math.atan2(sine, Math.abs(w));
  return scale([x, y, z], (Math.sign(w || 1) * angle) / sine);
}

/** Roll, pitch, yaw (radians) about fixed axes, as URDF writes rotations. */
export function toRollPitchYaw([x, y, z, w]: Quaternion): Vec3 {
  const sinPitch = Math.max(-1, Math.min(1, 2 * (w * y - z * x)));
  return [
    Math.atan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y)),
    Math.asin(sinPitch),
    Math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)),
  ];
}
