import { expect, test } from 'vitest';
import { parseFieldPath } from '../schemas/field-path.ts';
import { PickFault, pickNumbers } from './feature-pick.ts';

function pick(message: Record<string, unknown>, text: string): number[] {
  const parsed = parseFieldPath(text);
  if ('fault' in parsed) throw new Error(parsed.fault);
  const numbers: number[] = [];
  pickNumbers(message, parsed.path, numbers);
  return numbers;
}

const xyz = (x: number) => ({ x, y: x + 0.1, z: x + 0.2 });
const MESSAGE = {
  header: { stamp: { sec: 5, nanosec: 6 }, frame_id: 'base' },
  name: ['elbow', 'wrist', 'shoulder'],
  position: Float64Array.of(1, 2, 3),
  wrench: { force: xyz(1), torque: xyz(2) },
  ticks: BigInt64Array.of(7n, -8n),
  pressed: true,
  flags: [true, false],
  points: [
    { positions: Float32Array.of(1, 2), label: 'a' },
    { positions: Float32Array.of(3, 4), label: 'b' },
  ],
  transforms: [{ transform: { translation: xyz(4) } }],
};

test.each([
  ['position', [1, 2, 3]],
  ['wrench', [1, 1.1, 1.2, 2, 2.1, 2.2]],
  ['wrench.force', [1, 1.1, 1.2]],
  ['wrench.torque.y', [2.1]],
  ['header.stamp', [5, 6]],
  ['position[1]', [2]],
  ['position[1:3]', [2, 3]],
  ['position[name=shoulder,elbow]', [3, 1]],
  ['ticks', [7, -8]],
  ['ticks[1]', [-8]],
  ['pressed', [1]],
  ['flags', [1, 0]],
  ['points.positions', [1, 2, 3, 4]],
  ['points[1].positions[0]', [3]],
  ['points[0:2].positions[1]', [2, 4]],
  ['transforms[0].transform.translation', [4, 4.1, 4.2]],
])('pickNumbers() follows %s', (path, expected) => {
  expect(pick(MESSAGE, path)).toEqual(expected);
});

test('pickNumbers() looks names up anew in every message', () => {
  const path = 'position[name=a,b]';
  expect(pick({ name: ['a', 'b'], position: [1, 2] }, path)).toEqual([1, 2]);
  expect(pick({ name: ['b', 'x', 'a'], position: [1, 2, 3] }, path)).toEqual([3, 1]);
});

test.each([
  ['positon', 'it has no field "positon"; did you mean "position"?'],
  ['wrench.forze', '"wrench" has no field "forze"; did you mean "force"?'],
  ['qqqqqqqqqqqq', /^it has no field "qqqqqqqqqqqq"; there are: header, name,/],
  ['pressed.x', '"pressed" has no fields but is boolean true'],
  ['wrench[0]', '"wrench" is no array but a message'],
  ['position[3]', '"position" has 3 elements, element 3 is asked for'],
  ['position[1:5]', '"position" has 3 elements, element 3 is asked for'],
  ['position[name=elbw]', '"name" does not hold "elbw"; did you mean "elbow"?'],
  ['position[joint=elbow]', /^it has no field "joint"/],
  ['position[pressed=elbow]', '"pressed" is no array of names'],
  ['name', '"name[0]" is no number but the text "elbow"'],
  ['header', '"header.frame_id" is no number but the text "base"'],
  ['points', '"points[0].label" is no number but the text "a"'],
])('pickNumbers() says what is wrong with %s', (path, message) => {
  expect(() => pick(MESSAGE, path)).toThrow(message);
  expect(() => pick(MESSAGE, path)).toThrow(PickFault);
});
