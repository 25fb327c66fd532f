import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseFieldPath } from '../schemas/field-path.ts';
import { createChannelLayout, createDecoder, createEncoder } from '../schemas/message-codec.ts';
import { pickNumbers } from './feature-pick.ts';
import { LayoutPicker } from './layout-picker.ts';

const schema = {
  name: 'test/msg/All',
  encoding: 'ros2msg',
  data: new TextEncoder().encode(`uint8 KIND=3
builtin_interfaces/Time stamp
string frame
bool flag
int8 tiny
uint16 half
int64 large
float32[3] fixed
string[] name
float64[] position
uint8[] bytes
test/Part[] parts
test/Part part
================================================================================
MSG: test/Part
string label
bool[2] flags
geometry_msgs/Quaternion rotation
================================================================================
MSG: geometry_msgs/Quaternion
float64 x
float64 y
float64 z
float64 w`),
};
const channel = { topic: '/all', messageEncoding: 'cdr', schema, metadata: new Map() };
const encode = createEncoder('/all', schema);
const decode = createDecoder(channel);
const layoutOf = createChannelLayout(channel)!;

const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const text = fc.string({ maxLength: 9 });
const part = fc.record({
  label: text,
  flags: fc.tuple(fc.boolean(), fc.boolean()),
  rotation: fc.record({ x: number, y: number, z: number, w: number }),
});
const numbers = {
  flag: fc.boolean(),
  tiny: fc.integer({ min: -128, max: 127 }),
  half: fc.nat({ max: 65_535 }),
  large: fc.bigInt({ min: -(2n ** 53n), max: 2n ** 53n }),
  fixed: fc.tuple(number, number, number),
  stamp: fc.record({ sec: fc.nat(), nanosec: fc.nat({ max: 999_999_999 }) }),
};
const message = fc
  .record({
    ...numbers,
    frame: text,
    name: fc
      .uniqueArray(text, { minLength: 1, maxLength: 4 })
      .map((names) => ['joint', ...names.filter((n) => n !== 'joint')]),
    position: fc.array(number, { minLength: 8, maxLength: 9 }),
    bytes: fc.uint8Array({ maxLength: 5 }),
    parts: fc.array(part, { minLength: 1, maxLength: 3 }),
    part,
  })
  .map((value) => ({ ...value }));

const paths = [
  ['flag', 'tiny', 'half', 'large', 'fixed', 'stamp'],
  ['position[name=joint]', 'position[2:5]'],
  ['parts', 'part'].map((path) => `${path}.rotation`),
  ['parts.flags', 'part.flags', 'bytes', 'position'],
].map((texts) =>
  texts.map((each) => {
    const parsed = parseFieldPath(each);
    if ('fault' in parsed) throw new Error(parsed.fault);
    return parsed.path;
  }),
);

test('LayoutPicker picks what decoding picks, from messages built alike and differently', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(message, fc.record(numbers)), { minLength: 1, maxLength: 4 }),
      (messages) => {
        for (const some of paths) {
          const picker = new LayoutPicker(layoutOf, some);
          // Each is followed by one with other numbers in the same places.
          for (const value of messages.flatMap(([first, other]) => [first, { ...first, ...other }])) {
            const data = encode(value);
            const [expected, quaternions]: [number[], number[]] = [[], []];
            for (const path of some) pickNumbers(decode(data), path, expected, quaternions);
            const picked = picker.pick(data);
            expect([...picked!.numbers]).toEqual(expected);
            expect(picked!.quaternions).toEqual(quaternions);
          }
        }
      },
    ),
  );
});

test('LayoutPicker looks at the structure: as many bytes do not make messages alike', () => {
  const build = (name: readonly string[], frame: string) =>
    encode({
      ...{ stamp: { sec: 1, nanosec: 2 }, flag: true, tiny: 1, half: 2, large: 3n, fixed: [1, 2, 3] },
      ...{
        frame,
        name,
        position: [10, 20],
        bytes: [],
        parts: [],
        part: { label: '', flags: [true, false], rotation: { x: 0, y: 0, z: 0, w: 1 } },
      },
    });
  const parsed = parseFieldPath('position[name=b,a]');
  if ('fault' in parsed) throw new Error(parsed.fault);
  const picker = new LayoutPicker(layoutOf, [parsed.path]);
  expect([...picker.pick(build(['a', 'b'], 'x'))!.numbers]).toEqual([20, 10]);
  expect([...picker.pick(build(['b', 'a'], 'x'))!.numbers]).toEqual([10, 20]);
  expect([...picker.pick(build(['b', 'a'], 'y'))!.numbers]).toEqual([10, 20]);
  expect(picker.pick(build(['b', 'c'], 'x'))).toBeUndefined();
});

test('LayoutPicker leaves to decoding what is not plain CDR, is cut short, or changes all the time', () => {
  const picker = new LayoutPicker(layoutOf, paths[0]!);
  const data = encode(fc.sample(message, { numRuns: 1, seed: 1 })[0]!);
  expect(picker.pick(data.slice(0, 20))).toBeUndefined();
  expect(picker.pick(Uint8Array.of(0, 7, ...data.slice(2)))).toBeUndefined();
  const results = fc.sample(message, { numRuns: 40, seed: 2 }).map((value) => picker.pick(encode(value)));
  expect(results[0]).toBeDefined();
  expect(results.at(-1)).toBeUndefined();
});
