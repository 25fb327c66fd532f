import type { Axis, Shape } from './link.ts';
import type { Vec3 } from './pose.ts';

/** Triangles of one shape, in the frame of its link. */
export interface Mesh {
  /** [vertices, 3] metres. */
  readonly positions: Float32Array;
  /** [vertices, 3] unit vectors outwards. */
  readonly normals: Float32Array;
  /** [triangles, 3] vertices, counter-clockwise seen from outside. */
  readonly triangles: Uint16Array;
}

/** Sides of a cylinder: at 320 pixels a finer one looks the same. */
const SIDES = 20;

/** The surface of a shape. */
export function createMesh(shape: Shape): Mesh {
  switch (shape.kind) {
    case 'box':
      return boxMesh(shape.halfSize, shape.center);
    case 'cylinder':
      return cylinderMesh(shape.radius, shape.halfLength, shape.axis, shape.center);
  }
  shape satisfies never;
}

export function boxMesh(halfSize: Vec3, center: Vec3): Mesh {
  const builder = new MeshBuilder(center);
  for (const axis of [0, 1, 2]) {
    for (const side of [1, -1]) {
      const [u, v] = [(axis + 1) % 3, (axis + 2) % 3];
      const corner = (a: number, b: number): Vec3 => {
        const point = [0, 0, 0];
        point[axis] = side * halfSize[axis]!;
        point[u] = a * halfSize[u]!;
        point[v] = b * side * halfSize[v]!;
        return [point[0]!, point[1]!, point[2]!];
      };
      const normal = [0, 0, 0];
      normal[axis] = side;
      const face = [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)];
      builder.fan(face, () => [normal[0]!, normal[1]!, normal[2]!]);
    }
  }
  return builder.build();
}

function cylinderMesh(radius: number, halfLength: number, axis: Axis, center: Vec3): Mesh {
  // A cyclic change of axes keeps the triangles' orientation.
  const turned = ([x, y, z]: Vec3): Vec3 => (axis === 'z' ? [x, y, z] : axis === 'x' ? [z, x, y] : [y, z, x]);
  const ring = Array.from({ length: SIDES }, (_, i) => (2 * Math.PI * i) / SIDES);
  const at = (angle: number, height: number) =>
    turned([radius * Math.cos(angle), radius * Math.sin(angle), height]);
  const builder = new MeshBuilder(center);
  ring.forEach((angle, i) => {
    const next = ring[(i + 1) % SIDES]!;
    const sideNormals = [angle, next, next, angle].map((a) => turned([Math.cos(a), Math.sin(a), 0]));
    builder.fan(
      [at(angle, -halfLength), at(next, -halfLength), at(next, halfLength), at(angle, halfLength)],
      (corner) => sideNormals[corner]!,
    );
  });
  builder.fan(
    ring.map((angle) => at(angle, halfLength)),
    () => turned([0, 0, 1]),
  );
  builder.fan(
    ring.toReversed().map((angle) => at(angle, -halfLength)),
    () => turned([0, 0, -1]),
  );
  return builder.build();
}

class MeshBuilder {
  readonly #center: Vec3;
  readonly #positions: number[] = [];
  readonly #normals: number[] = [];
  readonly #triangles: number[] = [];

  constructor(center: Vec3) {
    this.#center = center;
  }

  /** A convex polygon, counter-clockwise seen from outside. */
  fan(corners: readonly Vec3[], normalOf: (corner: number) => Vec3): void {
    const first = this.#positions.length / 3;
    corners.forEach((corner, i) => {
      this.#positions.push(...corner.map((x, axis) => x + this.#center[axis]!));
      this.#normals.push(...normalOf(i));
      if (i >= 2) this.#triangles.push(first, first + i - 1, first + i);
    });
  }

  build(): Mesh {
    return {
      positions: Float32Array.from(this.#positions),
      normals: Float32Array.from(this.#normals),
      triangles: Uint16Array.from(this.#triangles),
    };
  }
}
