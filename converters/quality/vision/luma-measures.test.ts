import { expect, test } from 'vitest';
import {
  areaResize,
  deviationOf,
  differenceHash,
  hashDistance,
  type Luma,
  meanDifference,
  meanOf,
  shareBetween,
  sharpness,
} from './luma-measures.ts';

function picture(brightness: (x: number, y: number) => number, width = 64, height = 48): Luma {
  const pixels = Uint8Array.from({ length: width * height }, (_, i) =>
    brightness(i % width, Math.floor(i / width)),
  );
  return { pixels, width, height };
}

const board = picture((x, y) => (((x >> 3) + (y >> 3)) % 2 ? 200 : 40));

test('meanOf(), deviationOf() and shareBetween() of a chequerboard', () => {
  expect(meanOf(board.pixels)).toBe(120);
  expect(deviationOf(board.pixels)).toBeCloseTo(80, 10);
  expect(shareBetween(board.pixels, 0, 40)).toBe(0.5);
  expect(shareBetween(board.pixels, 41, 199)).toBe(0);
});

test('meanDifference() is the mean step, and infinite for pictures of two sizes', () => {
  expect(
    meanDifference(
      board.pixels,
      board.pixels.map((value) => value + 3),
    ),
  ).toBe(3);
  expect(meanDifference(board.pixels, board.pixels.subarray(1))).toBe(Number.POSITIVE_INFINITY);
});

test('sharpness() falls when a picture is blurred and is 0 for a plane', () => {
  const blurred = picture((x, y) => {
    let sum = 0;
    for (const [u, v] of [
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
    ] as const) {
      sum += board.pixels[Math.min(47, y + v) * 64 + Math.min(63, x + u)]!;
    }
    return sum / 4;
  });
  expect(sharpness(blurred)).toBeLessThan(sharpness(board) / 2);
  expect(sharpness(picture((x) => 2 * x))).toBe(0);
});

test('areaResize() keeps the mean', () => {
  expect([...areaResize(board, 8, 6)].slice(0, 3)).toEqual([40, 200, 40]);
  expect(meanOf(Uint8Array.from(areaResize(board, 3, 5)))).toBeCloseTo(120, -1);
});

test('differenceHash() tells views apart, not light or noise', () => {
  const view = picture((x, y) => 120 + 80 * Math.sin(x / 9) * Math.cos(y / 7));
  const darker = picture((x, y) => 60 + 40 * Math.sin(x / 9) * Math.cos(y / 7) + ((x * 31 + y * 17) % 3));
  const other = picture((x, y) => 120 + 80 * Math.cos(x / 5) * Math.sin(y / 11));
  expect(differenceHash(view)).toMatch(/^[0-9a-f]{16}$/);
  expect(hashDistance(differenceHash(view), differenceHash(darker))).toBeLessThanOrEqual(4);
  expect(hashDistance(differenceHash(view), differenceHash(other))).toBeGreaterThan(12);
  expect(hashDistance('0000000000000000', 'ffffffffffffffff')).toBe(64);
});
