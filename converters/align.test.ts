import { expect, test } from 'vitest';
import type { AlignPolicy } from '../schemas/contract.ts';
import { align } from './align.ts';

const at = (time: number | undefined) => (time === undefined ? undefined : { time: BigInt(time) });

// Tick 100, tolerance 10: [policy, previous, next, expected value, towards, weight, age]
test.each<
  [
    AlignPolicy,
    number | undefined,
    number | undefined,
    number | undefined,
    number | undefined,
    number,
    number?,
  ]
>([
  ['hold', 95, 101, 95, undefined, 0, 5],
  ['hold', 100, 101, 100, undefined, 0, 0],
  ['hold', 90, undefined, 90, undefined, 0, 10],
  ['hold', 89, 100 + 1, undefined, undefined, 0, 11],
  ['hold', undefined, 101, undefined, undefined, 0],
  ['nearest', 95, 104, 104, undefined, 0, -4],
  ['nearest', 96, 104, 96, undefined, 0, 4],
  ['nearest', 97, 104, 97, undefined, 0, 3],
  ['nearest', 100, 101, 100, undefined, 0, 0],
  ['nearest', undefined, 110, 110, undefined, 0, -10],
  ['nearest', undefined, 111, undefined, undefined, 0, -11],
  ['nearest', 80, undefined, undefined, undefined, 0, 20],
  ['nearest', undefined, undefined, undefined, undefined, 0],
  ['linear', 98, 106, 98, 106, 0.25, 6],
  ['linear', 90, 110, 90, 110, 0.5, 10],
  ['linear', 90, 111, undefined, undefined, 0, 11],
  ['linear', 89, 101, undefined, undefined, 0, 11],
  ['linear', 100, 500, 100, undefined, 0, 0],
  ['linear', 100, undefined, 100, undefined, 0, 0],
  ['linear', 99, undefined, undefined, undefined, 0, 1],
  ['linear', undefined, 101, undefined, undefined, 0, -1],
  ['linear', undefined, undefined, undefined, undefined, 0],
  ['slerp', 98, 106, 98, 106, 0.25, 6],
  ['slerp', 90, 111, undefined, undefined, 0, 11],
  ['slerp', 100, undefined, 100, undefined, 0, 0],
])('align() with %s between %s and %s takes %s', (policy, previous, next, value, towards, weight, age) => {
  const neighbours = { previous: at(previous), next: at(next) };
  const choice = align(neighbours, 100n, { policy, toleranceNanos: 10n });
  expect(choice).toEqual({
    valid: value !== undefined,
    ageNanos: age === undefined ? undefined : BigInt(age),
    value: at(value),
    ...(towards !== undefined && { towards: { value: at(towards), weight } }),
  });
});

test.each<[sinceLast: number[], window: number[] | undefined, age?: number]>([
  [[67, 80, 99], [67, 80, 99], 1],
  [[100], [100], 0],
  [[90], [90], 10],
  [[67, 89], undefined, 11], // the newest is too old, so that none counts
  [[], undefined],
])('align() with window of %s takes %s', (sinceLast, window, age) => {
  const timed = sinceLast.map((time) => ({ time: BigInt(time) }));
  const neighbours = { previous: at(60), next: at(101), sinceLast: timed };
  expect(align(neighbours, 100n, { policy: 'window', toleranceNanos: 10n })).toEqual({
    valid: window !== undefined,
    ageNanos: age === undefined ? undefined : BigInt(age),
    value: window && timed.at(-1),
    ...(window && { window: timed }),
  });
});
