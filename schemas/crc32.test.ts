import { expect, test } from 'vitest';
import { crc32, crc32Combine } from './crc32.ts';

test('crc32() has the check value of the algorithm', () => {
  expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
});

test.each([
  ['', ''],
  ['a', ''],
  ['', 'b'],
  ['first', 'second'],
  ['x'.repeat(1000), 'y'.repeat(70_001)],
])('crc32Combine() is the CRC of both strings together: "%.8s", "%.8s"', (first, second) => {
  const [a, b] = [Buffer.from(first), Buffer.from(second)];
  expect(crc32Combine(crc32(a), crc32(b), b.byteLength)).toBe(crc32(Buffer.concat([a, b])));
});
