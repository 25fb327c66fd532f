import fc from 'fast-check';
import { expect, test } from 'vitest';
import { conjugate, multiply, type Quaternion } from '../schemas/quaternion.ts';
import { FORMS, normalized, rotate, slerp } from './rotation.ts';

const half = Math.SQRT1_2;
const rotations = fc
  .tuple(...Array.from({ length: 4 }, () => fc.double({ min: -1, max: 1, noNaN: true })))
  .map(([x, y, z, w]) => normalized([x!, y!, z!, w!]))
  .filter((rotation) => rotation !== undefined);
const weights = fc.double({ min: 0, max: 1, noNaN: true });

/** Radians from one rotation to another, 0 to π; stable where the arc cosine of the product is not. */
function angle(a: Quaternion, b: Quaternion): number {
  const [x, y, z, w] = multiply(a, conjugate(b));
  return 2 * Math.atan2(Math.hypot(x, y, z), Math.abs(w));
}

const quaternionOf = (axis: readonly number[], turn: number): Quaternion => {
  const sine = Math.sin(turn / 2);
  return [axis[0]! * sine, axis[1]! * sine, axis[2]! * sine, Math.cos(turn / 2)];
};

test.each<[string, Quaternion, readonly number[], readonly number[], readonly number[]]>([
  ['no turn', [0, 0, 0, 1], [1, 0, 0, 0, 1, 0], [0, 0, 0], [0, 0, 0]],
  [
    'a quarter turn about z',
    [0, 0, half, half],
    [0, -1, 0, 1, 0, 0],
    [0, 0, Math.PI / 2],
    [0, 0, Math.PI / 2],
  ],
  ['the same, negated', [0, 0, -half, -half], [0, -1, 0, 1, 0, 0], [0, 0, Math.PI / 2], [0, 0, Math.PI / 2]],
  [
    'a quarter turn about x',
    [half, 0, 0, half],
    [1, 0, 0, 0, 0, -1],
    [Math.PI / 2, 0, 0],
    [Math.PI / 2, 0, 0],
  ],
])('FORMS write %s as the tables say', (_, rotation, rotation6d, rotvec, rpy) => {
  for (const [form, expected] of Object.entries({ rotation6d, rotvec, rpy })) {
    const found = FORMS[form as keyof typeof FORMS](rotation);
    expect(found).toHaveLength(expected.length);
    for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 12);
  }
});

test('FORMS keep the rotation: each one gives back what it was made of', () => {
  fc.assert(
    fc.property(rotations, (rotation) => {
      const rows = FORMS.rotation6d(rotation);
      for (const [i, axis] of (
        [
          [1, 0, 0],
          [0, 1, 0],
          [0, 0, 1],
        ] as const
      ).entries()) {
        const turned = rotate(rotation, axis);
        expect(rows[i]).toBeCloseTo(turned[0], 9);
        expect(rows[3 + i]).toBeCloseTo(turned[1], 9);
      }
      const vector = FORMS.rotvec(rotation);
      const turn = Math.hypot(...vector);
      expect(turn).toBeLessThanOrEqual(Math.PI + 1e-9);
      const axis = vector.map((value) => (turn > 0 ? value / turn : 0));
      expect(angle(quaternionOf(axis, turn), rotation)).toBeLessThan(1e-7);
      const [roll, pitch, yaw] = FORMS.rpy(rotation);
      const fixed = multiply(
        quaternionOf([0, 0, 1], yaw!),
        multiply(quaternionOf([0, 1, 0], pitch!), quaternionOf([1, 0, 0], roll!)),
      );
      expect(angle(fixed, rotation)).toBeLessThan(1e-7);
    }),
  );
});

test('slerp() turns evenly on the shorter arc, whatever the signs', () => {
  fc.assert(
    fc.property(rotations, rotations, weights, fc.boolean(), (from, to, weight, negate) => {
      const sent = negate ? ([-to[0], -to[1], -to[2], -to[3]] as const) : to;
      const between = slerp(from, sent, weight);
      const whole = angle(from, to);
      expect(Math.hypot(...between)).toBeCloseTo(1, 12);
      expect(angle(from, between)).toBeCloseTo(weight * whole, 6);
      expect(angle(between, to)).toBeCloseTo((1 - weight) * whole, 6);
    }),
  );
});

test('normalized() has no direction to keep for the quaternion of drivers that know none', () => {
  expect(normalized([0, 0, 0, 0])).toBeUndefined();
  expect(normalized([0, 0, 0, 2])).toEqual([0, 0, 0, 1]);
});
