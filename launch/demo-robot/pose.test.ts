import { expect, test } from 'vitest';
import { multiply, type Quaternion } from '../../schemas/quaternion.ts';
import {
  axisAngle,
  compose,
  fromAxes,
  invert,
  norm,
  normalize,
  type Pose,
  rotate,
  rotationBetween,
  subtract,
  toRollPitchYaw,
  transformPoint,
  type Vec3,
} from './pose.ts';
import { Random } from './random.ts';

const random = new Random('poses');
const anyVector = (): Vec3 => [random.normal(), random.normal(), random.normal()];
/** Turned by up to a full turn, half turns included. */
const rotations: readonly Quaternion[] = [
  [0, 0, 0, 1],
  [1, 0, 0, 0],
  [0, 1, 0, 0],
  [0, 0, 1, 0],
  ...Array.from({ length: 30 }, () => axisAngle(normalize(anyVector()), random.between(-Math.PI, Math.PI))),
];

const expectSame = (found: Vec3, expected: Vec3) =>
  expect(norm(subtract(found, expected))).toBeLessThan(1e-9);
const expectSameTurn = (found: Quaternion, expected: Quaternion) =>
  expect(norm(rotationBetween(found, expected))).toBeLessThan(1e-6);

test('fromAxes() finds the rotation whose axes it is given', () => {
  for (const rotation of rotations) {
    const axes = (
      [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ] as const
    ).map((axis) => rotate(rotation, axis));
    expectSameTurn(fromAxes(axes[0]!, axes[1]!, axes[2]!), rotation);
  }
});

test('toRollPitchYaw() gives angles that make the rotation again', () => {
  for (const rotation of rotations) {
    const [roll, pitch, yaw] = toRollPitchYaw(rotation);
    const again = multiply(
      axisAngle([0, 0, 1], yaw),
      multiply(axisAngle([0, 1, 0], pitch), axisAngle([1, 0, 0], roll)),
    );
    expectSameTurn(again, rotation);
  }
});

test('rotationBetween() gives axis and angle of the short way round', () => {
  const turn = rotationBetween(axisAngle([0, 0, 1], 0.2), axisAngle([0, 0, 1], -2.8));
  expectSame(turn, [0, 0, -3]);
});

test('compose() and invert() are those of rigid transforms', () => {
  for (const orientation of rotations) {
    const a: Pose = { position: anyVector(), orientation };
    const b: Pose = { position: anyVector(), orientation: axisAngle([0, 1, 0], 0.3) };
    const point = anyVector();
    expectSame(transformPoint(compose(a, b), point), transformPoint(a, transformPoint(b, point)));
    expectSame(transformPoint(invert(a), transformPoint(a, point)), point);
  }
});
