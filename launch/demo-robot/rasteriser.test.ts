import { expect, test } from 'vitest';
import { type Paint, Rasteriser } from './rasteriser.ts';

const QUIET = new Int8Array(2);
const RED: Paint = { kind: 'solid', color: [1, 0, 0] };
const BLUE: Paint = { kind: 'solid', color: [0, 0, 1] };
const ONE = Uint16Array.of(0, 1, 2);

/** 20 by 20 pixels, white; at a depth of 1 m a pixel is 0.1 m wide, the middle lies at 9.5. */
function canvas(): Rasteriser {
  const raster = new Rasteriser({ width: 20, height: 20, focal: 10 });
  raster.clear(() => [1, 1, 1]);
  return raster;
}

/** Corners [x, y, z, u, v] at full brightness. */
function vertices(
  ...corners: readonly (readonly [number, number, number, number?, number?])[]
): Float64Array {
  return Float64Array.from(corners.flatMap(([x, y, z, u = 0, v = 0]) => [x, y, z, 1, u, v]));
}

/** A square that faces the camera at a depth, from -half to half both ways. */
function drawSquare(raster: Rasteriser, half: number, depth: number, paint: Paint): void {
  // Rows grow downwards: this order is counter-clockwise for the eye.
  const corners = [
    [-half, -half, depth, 0, 0],
    [-half, half, depth, 0, 2 * half],
    [half, half, depth, 2 * half, 2 * half],
    [half, -half, depth, 2 * half, 0],
  ] as const;
  raster.draw(vertices(...corners), Uint16Array.of(0, 1, 2, 0, 2, 3), paint);
}

function pixel(raster: Rasteriser, x: number, y: number): number[] {
  const at = (y * 20 + x) * 3;
  return [...raster.resolve(QUIET, 0).subarray(at, at + 3)];
}

test('Rasteriser.draw() fills what the corners enclose and nothing else', () => {
  const raster = canvas();
  drawSquare(raster, 0.5, 1, RED);
  const filled = raster.resolve(QUIET, 0);
  for (let y = 0; y < 20; y++) {
    for (let x = 0; x < 20; x++) {
      const isInside = x >= 5 && x < 15 && y >= 5 && y < 15;
      const at = (y * 20 + x) * 3;
      expect([...filled.subarray(at, at + 3)], `${x},${y}`).toEqual(isInside ? [255, 0, 0] : [255, 255, 255]);
    }
  }
});

test('Rasteriser.draw() smooths an edge that runs through a pixel', () => {
  const raster = canvas();
  drawSquare(raster, 0.55, 1, RED);
  expect(pixel(raster, 4, 10)).toEqual([255, 127, 127]);
});

test('Rasteriser.draw() shows the nearest surface, whatever was drawn last', () => {
  const raster = canvas();
  drawSquare(raster, 0.5, 1, RED);
  drawSquare(raster, 2, 2, BLUE);
  expect(pixel(raster, 10, 10)).toEqual([255, 0, 0]);
  expect(pixel(raster, 2, 2)).toEqual([0, 0, 255]);
});

test('Rasteriser.draw() does not show the back of a surface', () => {
  const raster = canvas();
  const triangle = vertices([-1, -1, 1], [1, -1, 1], [0, 1, 1]);
  raster.draw(triangle, ONE, RED);
  expect(pixel(raster, 10, 10)).toEqual([255, 255, 255]);
  raster.draw(triangle, Uint16Array.of(0, 2, 1), RED);
  expect(pixel(raster, 10, 10)).toEqual([255, 0, 0]);
});

test('Rasteriser.draw() cuts a surface off that reaches behind the camera', () => {
  const raster = canvas();
  // A floor 0.5 m below the camera, from 3 m behind it to 3 m in front.
  raster.draw(
    vertices([-3, 0.5, -3], [-3, 0.5, 3], [3, 0.5, 3], [3, 0.5, -3]),
    Uint16Array.of(0, 2, 1, 0, 3, 2),
    RED,
  );
  expect(pixel(raster, 10, 19)).toEqual([255, 0, 0]);
  expect(pixel(raster, 10, 12)).toEqual([255, 0, 0]);
  expect(pixel(raster, 10, 9)).toEqual([255, 255, 255]);
});

test('Rasteriser.draw() lays a checker in perspective over a surface', () => {
  const raster = canvas();
  const checker: Paint = {
    kind: 'checker',
    edge: 0.5,
    colors: [
      [1, 0, 0],
      [0, 0, 1],
    ],
  };
  drawSquare(raster, 0.5, 1, checker);
  expect(pixel(raster, 6, 6)).toEqual([255, 0, 0]);
  expect(pixel(raster, 13, 6)).toEqual([0, 0, 255]);
  expect(pixel(raster, 13, 13)).toEqual([255, 0, 0]);
});

test('Rasteriser.draw() darkens a surface once where shadows overlap, and nothing above it', () => {
  const raster = canvas();
  const shadow: Paint = { kind: 'shadow', factor: 0.5 };
  drawSquare(raster, 1, 1, RED);
  drawSquare(raster, 0.1, 0.5, BLUE);
  drawSquare(raster, 0.5, 1, shadow);
  drawSquare(raster, 0.5, 1, shadow);
  expect(pixel(raster, 6, 6)).toEqual([127, 0, 0]);
  expect(pixel(raster, 2, 2)).toEqual([255, 0, 0]);
  expect(pixel(raster, 10, 10)).toEqual([0, 0, 255]);
});

test('Rasteriser.resolve() adds the noise from its offset on and stays within a byte', () => {
  const raster = canvas();
  drawSquare(raster, 1, 1, BLUE);
  const noise = Int8Array.of(7, -3);
  expect([...raster.resolve(noise, 0).subarray(600, 603)]).toEqual([7, 0, 255]);
  expect([...raster.resolve(noise, 1).subarray(600, 603)]).toEqual([0, 7, 252]);
});
