import { expect, test } from 'vitest';
import type { Shape } from './link.ts';
import { createMesh } from './mesh.ts';
import { cross, dot, subtract, type Vec3 } from './pose.ts';

const color = [1, 1, 1] as const;
const center = [0.3, -0.2, 0.5] as const;
/** What a cylinder of 20 flat sides holds of the round one. */
const SIDES_SHARE = (20 * Math.sin((2 * Math.PI) / 20)) / (2 * Math.PI);

test.each<[string, Shape, number]>([
  ['a box', { kind: 'box', halfSize: [0.1, 0.2, 0.3], center, color }, 8 * 0.1 * 0.2 * 0.3],
  ...(['x', 'y', 'z'] as const).map((axis): [string, Shape, number] => [
    `a cylinder along ${axis}`,
    { kind: 'cylinder', radius: 0.1, halfLength: 0.2, axis, center, color },
    Math.PI * 0.1 ** 2 * 0.4 * SIDES_SHARE,
  ]),
])('createMesh() closes %s: outward triangles around its volume', (_, shape, volume) => {
  const { positions, normals, triangles } = createMesh(shape);
  const at = (values: Float32Array, vertex: number): Vec3 => [
    values[vertex * 3]!,
    values[vertex * 3 + 1]!,
    values[vertex * 3 + 2]!,
  ];
  let enclosed = 0;
  for (let i = 0; i < triangles.length; i += 3) {
    const [a, b, c] = [0, 1, 2].map((corner) => at(positions, triangles[i + corner]!)) as [Vec3, Vec3, Vec3];
    const outward = cross(subtract(b, a), subtract(c, a));
    for (const corner of [0, 1, 2]) {
      const normal = at(normals, triangles[i + corner]!);
      expect(dot(normal, normal)).toBeCloseTo(1, 5);
      expect(dot(outward, normal)).toBeGreaterThan(0);
    }
    enclosed += dot(a, cross(b, c)) / 6; // divergence theorem
  }
  expect(enclosed).toBeCloseTo(volume, 6);
});
