import type { Color } from './link.ts';
import { boxMesh, createMesh, type Mesh } from './mesh.ts';
import {
  add,
  compose,
  dot,
  IDENTITY,
  invert,
  normalize,
  type Pose,
  rotate,
  scale,
  transformPoint,
  type Vec3,
} from './pose.ts';
import { type Intrinsics, type Paint, Rasteriser, VERTEX_SIZE } from './rasteriser.ts';
import { BLOCK, LINKS, TABLE, TARGET } from './robot-model.ts';

/** Where everything is at the instant of a picture. */
export interface Scene {
  /** world_from_camera, an optical frame. */
  readonly camera: Pose;
  /** world_from_link by link name. */
  linkPose(name: string): Pose;
  readonly block: Pose;
  /** Where the block is to be put. */
  readonly target: Vec3;
}

/** Something to draw, and where: world_from_mesh. */
interface Thing {
  readonly mesh: Mesh;
  readonly pose: Pose;
  readonly paint: Paint;
}

/** From the scene towards the lights: the key light throws the shadows, the other softens them. */
const KEY_LIGHT = normalize([0.35, 0.55, 1]);
const FILL_LIGHT = normalize([0.8, -0.9, 0.35]);
const TABLE_PAINT: Paint = {
  kind: 'checker',
  edge: 0.06,
  colors: [
    [0.83, 0.78, 0.69],
    [0.72, 0.66, 0.57],
  ],
};
const SHADOW: Paint = { kind: 'shadow', factor: 0.6 };
const [SKY_LOW, SKY_HIGH, FLOOR]: readonly Color[] = [
  [0.86, 0.89, 0.93],
  [0.6, 0.7, 0.83],
  [0.42, 0.45, 0.5],
];

/** Makes the cameras' pictures in software: shaded parts, a checkered table, the light's shadows on it. */
export class Renderer {
  readonly #raster: Rasteriser;
  readonly #vertices: Float64Array;
  readonly #parts: readonly (Omit<Thing, 'pose'> & { readonly link: string })[];
  readonly #block: Mesh;
  readonly #table: Mesh;
  readonly #target: Mesh;

  constructor(intrinsics: Intrinsics) {
    this.#raster = new Rasteriser(intrinsics);
    this.#parts = LINKS.flatMap(({ name, shapes }) =>
      shapes.map((shape) => ({
        link: name,
        mesh: createMesh(shape),
        paint: { kind: 'solid', color: shape.color } as const,
      })),
    );
    const most = Math.max(...this.#parts.map(({ mesh }) => mesh.positions.length / 3));
    this.#vertices = new Float64Array(most * VERTEX_SIZE);
    const half = BLOCK.edge / 2;
    this.#block = boxMesh([half, half, half], [0, 0, 0]);
    const { min, max, thickness } = TABLE;
    this.#table = boxMesh(
      [(max[0] - min[0]) / 2, (max[1] - min[1]) / 2, thickness / 2],
      [(min[0] + max[0]) / 2, (min[1] + max[1]) / 2, -thickness / 2],
    );
    this.#target = createMesh({
      ...{ kind: 'cylinder', radius: TARGET.radius, halfLength: 0.0004, axis: 'z' },
      ...{ center: [0, 0, 0], color: TARGET.color },
    });
  }

  /** Draws the scene; {@link Rasteriser.resolve} of the result gives the picture. */
  render(scene: Scene): Rasteriser {
    const raster = this.#raster;
    const view = invert(scene.camera);
    raster.clear((row) => this.#background(row, scene.camera));
    const things: readonly Thing[] = [
      ...this.#parts.map(({ link, mesh, paint }) => ({ mesh, paint, pose: scene.linkPose(link) })),
      { mesh: this.#block, paint: { kind: 'solid', color: BLOCK.color }, pose: scene.block },
    ];
    const target: Pose = { ...IDENTITY, position: [scene.target[0], scene.target[1], 0] };
    // What is in front first: the table's many pixels behind it are then not even computed.
    for (const thing of things) this.#draw(thing, view);
    this.#draw({ mesh: this.#target, pose: target, paint: { kind: 'solid', color: TARGET.color } }, view);
    this.#draw({ mesh: this.#table, pose: IDENTITY, paint: TABLE_PAINT }, view);
    for (const thing of things) this.#drawShadow(thing, view);
    return raster;
  }

  #draw({ mesh: { positions, normals, triangles }, pose, paint }: Thing, view: Pose): void {
    const cameraFromMesh = compose(view, pose);
    const vertices = this.#vertices;
    for (let i = 0, at = 0; i < positions.length; i += 3, at += VERTEX_SIZE) {
      const point: Vec3 = [positions[i]!, positions[i + 1]!, positions[i + 2]!];
      vertices.set(transformPoint(cameraFromMesh, point), at);
      vertices[at + 3] = brightness(
        rotate(pose.orientation, [normals[i]!, normals[i + 1]!, normals[i + 2]!]),
      );
      vertices[at + 4] = point[0];
      vertices[at + 5] = point[1];
    }
    this.#raster.draw(vertices, triangles, paint);
  }

  /** The shape as the light throws it onto the table's plane. */
  #drawShadow({ mesh: { positions, triangles }, pose }: Thing, view: Pose): void {
    const vertices = this.#vertices;
    for (let i = 0, at = 0; i < positions.length; i += 3, at += VERTEX_SIZE) {
      const point = transformPoint(pose, [positions[i]!, positions[i + 1]!, positions[i + 2]!]);
      const onTable = add(point, scale(KEY_LIGHT, -point[2] / KEY_LIGHT[2]));
      vertices.set(transformPoint(view, onTable), at);
    }
    this.#raster.draw(vertices, triangles, SHADOW);
  }

  /** A floor up to the horizon and a sky above it, as the middle of the row sees them. */
  #background(row: number, camera: Pose): Color {
    const { height, focal } = this.#raster.intrinsics;
    const ray = rotate(camera.orientation, [0, (row - (height - 1) / 2) / focal, 1]);
    const elevation = ray[2] / Math.hypot(...ray);
    if (elevation >= 0) return mix(SKY_LOW!, SKY_HIGH!, Math.min(1, elevation * 2.5));
    return mix(SKY_LOW!, FLOOR!, Math.min(1, -elevation * 6));
  }
}

/** Lambert's law for both lights over an even glow; at most 1. */
function brightness(normal: Vec3): number {
  const key = Math.max(0, dot(normal, KEY_LIGHT));
  const fill = Math.max(0, dot(normal, FILL_LIGHT));
  return Math.min(1, 0.46 + 0.48 * key + 0.26 * fill);
}

function mix(a: Color, b: Color, share: number): Color {
  return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share];
}
