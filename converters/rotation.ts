import type { Quaternion } from '../schemas/quaternion.ts';

/** How a dataset may write a rotation, beside the quaternion itself. */
export type RotationForm = 'rotation6d' | 'rotvec' | 'rpy' | 'matrix';

/** The quaternion of length one in the same direction; undefined for one without direction. */
export function normalized([x, y, z, w]: Quaternion): Quaternion | undefined {
  const length = Math.hypot(x, y, z, w);
  return length > 1e-6 ? [x / length, y / length, z / length, w / length] : undefined;
}

/**
 * Spherical interpolation on the shorter arc (Shoemake 1985): q and -q are the same rotation, so the sign
 * that a driver happens to send does not matter.
 *
 * @param weight of `to`, 0 to 1.
 */
export function slerp(from: Quaternion, to: Quaternion, weight: number): Quaternion {
  const dot = from[0] * to[0] + from[1] * to[1] + from[2] * to[2] + from[3] * to[3];
  const sign = dot < 0 ? -1 : 1;
  const angle = Math.acos(Math.min(1, Math.abs(dot)));
  const sine = Math.sin(angle);
  // Below a millionth of a radian the arc is its chord, and the sines would divide nothing by nothing.
  const [a, b] =
    sine < 1e-6
      ? [1 - weight, weight]
      : [Math.sin((1 - weight) * angle) / sine, Math.sin(weight * angle) / sine];
  const mixed = (i: 0 | 1 | 2 | 3) => a * from[i] + sign * b * to[i];
  return normalized([mixed(0), mixed(1), mixed(2), mixed(3)])!;
}

/** Rotates a point, [x, y, z]. */
export function rotate(q: Quaternion, [vx, vy, vz]: readonly [number, number, number]) {
  const [x, y, z, w] = q;
  const [tx, ty, tz] = [2 * (y * vz - z * vy), 2 * (z * vx - x * vz), 2 * (x * vy - y * vx)];
  return [
    vx + w * tx + y * tz - z * ty,
    vy + w * ty + z * tx - x * tz,
    vz + w * tz + x * ty - y * tx,
  ] as const;
}

/** The numbers of a rotation in another form. */
export const FORMS: Readonly<Record<RotationForm, (rotation: Quaternion) => readonly number[]>> = {
  /** First two rows of the matrix, as PyTorch3D and diffusion_policy have them (Zhou et al. 2019). */
  rotation6d: (rotation) => matrixOf(rotation).slice(0, 6),
  /** All three rows. */
  matrix: matrixOf,
  /** Axis times angle, radians, 0 to π. */
  rotvec: ([x, y, z, w]) => {
    const sine = Math.hypot(x, y, z);
    if (sine < 1e-12) return [0, 0, 0];
    const factor = ((w < 0 ? -2 : 2) * Math.atan2(sine, Math.abs(w))) / sine;
    return [x * factor, y * factor, z * factor];
  },
  /**
   * Roll, pitch, yaw about fixed axes x, y, z, radians (REP 103); the pitch lies within ±π/2. By half sums and
   * differences (Bernardes and Viollet 2022), which stay exact where roll and yaw turn about one axis.
   */
  rpy: ([x, y, z, w]) => {
    const halfSum = Math.atan2(x + z, w - y);
    const halfDifference = Math.atan2(x - z, w + y);
    const pitch = 2 * Math.atan2(Math.hypot(w + y, x - z), Math.hypot(w - y, x + z)) - Math.PI / 2;
    return [wrapped(halfSum + halfDifference), pitch, wrapped(halfSum - halfDifference)];
  },
};

function matrixOf([x, y, z, w]: Quaternion): readonly number[] {
  return [
    ...[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
    ...[2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
    ...[2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
  ];
}

/** The same angle within ±π. */
function wrapped(angle: number): number {
  return angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI));
}
