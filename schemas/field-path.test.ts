import { expect, it } from 'vitest';
import { parseFieldPath } from './field-path.ts';

const field = (name: string) => ({ kind: 'field', name });

it.each([
  ['wrench.force', [field('wrench'), field('force')]],
  ['data[3]', [field('data'), { kind: 'index', index: 3 }]],
  ['data[0:6]', [field('data'), { kind: 'range', start: 0, end: 6 }]],
  ['transforms[2].transform', [field('transforms'), { kind: 'index', index: 2 }, field('transform')]],
  ['position[name=b,a]', [field('position'), { kind: 'named', keyField: 'name', names: ['b', 'a'] }]],
  [
    'position[name=j1..j3, grip]',
    [field('position'), { kind: 'named', keyField: 'name', names: ['j1', 'j2', 'j3', 'grip'] }],
  ],
])('parseFieldPath() reads %s', (text, path) => {
  expect(parseFieldPath(text)).toEqual({ path });
});

it.each(['', '[0]', 'a..b', 'a[', 'a[]', 'a[3:3]', 'a[x]', 'a[name=]', 'a[name=j3..j1]', 'a b', '.a'])(
  'parseFieldPath() refuses "%s" and shows how to write one',
  (text) => {
    expect(parseFieldPath(text)).toMatchObject({
      fault: expect.stringContaining('position[name=joint1..joint7]'),
    });
  },
);
