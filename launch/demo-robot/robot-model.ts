import type { Color, Joint, Link, Shape } from './link.ts';
import { cross, fromAxes, IDENTITY, normalize, type Pose, subtract, type Vec3 } from './pose.ts';

/**
 * The robot and its table, described once: physics, URDF and pictures are made from this table. Seven
 * axes in turn along z and y without offsets, so the chain is as easy to read as an arm can be; z points
 * up and the arm stands at the origin of the table's surface.
 */

const WHITE: Color = [0.87, 0.88, 0.9];
const ORANGE: Color = [0.95, 0.42, 0.06];
const GREY: Color = [0.33, 0.35, 0.39];
const DARK: Color = [0.13, 0.14, 0.16];
const STEEL: Color = [0.6, 0.62, 0.66];

export const ARM_JOINTS: readonly string[] = Array.from({ length: 7 }, (_, i) => `joint${i + 1}`);
export const FINGER_JOINTS: readonly string[] = ['finger_joint1', 'finger_joint2'];
export const JOINTS: readonly string[] = [...ARM_JOINTS, ...FINGER_JOINTS];
/** Arm joints at rest, radians: the gripper points straight down in front of the robot. */
export const HOME: readonly number[] = [0, -0.1, 0, 1.95, 0, Math.PI - 1.85, 0];
/** Distance between the pads of the open gripper. */
export const MAX_APERTURE = 0.08;

/** The block that is carried: a cube of this edge. */
export const BLOCK = { edge: 0.04, massKg: 0.15, color: [0.82, 0.09, 0.1] as Color };
/** Inner face of a finger that meets the block. */
export const PAD = { width: 0.02, length: 0.028, height: 0.046 };
/** The disc that marks the target on the table. */
export const TARGET = { radius: 0.045, color: [0.1, 0.55, 0.3] as Color };
export const TABLE = { min: [-0.3, -0.6], max: [0.9, 0.6], thickness: 0.04 } as const;

interface Span {
  readonly from: number;
  readonly to: number;
  readonly color?: Color;
}

/** A cylinder along the link's z axis. */
function tube(radius: number, { from, to, color = WHITE }: Span): Shape {
  const [halfLength, center] = [(to - from) / 2, [0, 0, (from + to) / 2]] as const;
  return { kind: 'cylinder', axis: 'z', radius, halfLength, center, color };
}

/** The housing of a joint that turns about y. */
function hub(radius: number, halfLength: number): Shape {
  return { kind: 'cylinder', axis: 'y', radius, halfLength, center: [0, 0, 0], color: ORANGE };
}

/** A ring around the seam between two links. */
function ring(radius: number): Shape {
  return tube(radius, { from: -0.014, to: 0.014, color: GREY });
}

/** Link n of the arm, turned by joint n. */
function arm(number: number, axis: 'y' | 'z'): Pick<Link, 'name' | 'parent' | 'joint'> {
  const joint: Joint = {
    name: `joint${number}`,
    kind: 'revolute',
    axis: axis === 'y' ? [0, 1, 0] : [0, 0, 1],
    range: axis === 'y' ? [-2.2, 2.2] : [-2.9, 2.9],
    effortLimit: number <= 4 ? 90 : 30,
    velocityLimit: 2.2,
  };
  return { name: `link${number}`, parent: number === 1 ? 'base_link' : `link${number - 1}`, joint };
}

/** A finger that opens along y to one side. */
function finger(number: 1 | 2, side: 1 | -1): Link {
  const [body, pad]: readonly Vec3[] = [
    [0.011, 0.005, 0.03],
    [PAD.width / 2, 0.005, PAD.length / 2],
  ];
  return {
    name: number === 1 ? 'finger_left' : 'finger_right',
    parent: 'hand',
    origin: at([0, 0, 0.062]),
    joint: {
      name: FINGER_JOINTS[number - 1]!,
      kind: 'prismatic',
      axis: [0, side, 0],
      range: [0, MAX_APERTURE / 2],
      effortLimit: 30,
      velocityLimit: 0.2,
    },
    massKg: 0.04,
    shapes: [
      { kind: 'box', halfSize: body!, center: [0, side * 0.015, 0.03], color: STEEL },
      { kind: 'box', halfSize: pad!, center: [0, side * 0.005, PAD.height], color: DARK, collides: true },
    ],
  };
}

/** A camera with its optical frame; the housing lies behind the lens, so that none sees its own. */
function camera(name: string, mount: Pick<Link, 'parent' | 'origin'>): Link {
  const housing: Shape = { kind: 'box', halfSize: [0.02, 0.012, 0.01], center: [0, 0, -0.012], color: DARK };
  return { name: `camera_${name}_optical_frame`, ...mount, massKg: 0.05, shapes: [housing] };
}

/** Optical frame (x right, y down, z forward) of a camera that looks from one point at another. */
function lookAt({ from, to, up }: Readonly<Record<'from' | 'to' | 'up', Vec3>>): Pose {
  const forward = normalize(subtract(to, from));
  const right = normalize(cross(forward, up));
  return { position: from, orientation: fromAxes(right, cross(forward, right), forward) };
}

function at(position: Vec3): Pose {
  return { ...IDENTITY, position };
}

/** Every link, parents before children; the root is `world`. */
export const LINKS: readonly Link[] = [
  {
    ...{ name: 'base_link', parent: 'world', origin: IDENTITY, massKg: 4 },
    shapes: [tube(0.1, { from: 0, to: 0.03, color: GREY }), tube(0.068, { from: 0.03, to: 0.15 })],
  },
  {
    ...{ ...arm(1, 'z'), origin: at([0, 0, 0.15]), massKg: 2.5 },
    shapes: [ring(0.072), tube(0.06, { from: 0.014, to: 0.17, color: ORANGE })],
  },
  {
    ...{ ...arm(2, 'y'), origin: at([0, 0, 0.17]), massKg: 2.5 },
    shapes: [{ ...hub(0.066, 0.075), color: GREY }, tube(0.052, { from: 0.05, to: 0.2 })],
  },
  {
    ...{ ...arm(3, 'z'), origin: at([0, 0, 0.2]), massKg: 2 },
    shapes: [ring(0.055), tube(0.05, { from: 0.014, to: 0.14 })],
  },
  {
    ...{ ...arm(4, 'y'), origin: at([0, 0, 0.14]), massKg: 2 },
    shapes: [hub(0.06, 0.066), tube(0.045, { from: 0.04, to: 0.19 })],
  },
  {
    ...{ ...arm(5, 'z'), origin: at([0, 0, 0.19]), massKg: 1.2 },
    shapes: [ring(0.048), tube(0.042, { from: 0.014, to: 0.13 })],
  },
  {
    ...{ ...arm(6, 'y'), origin: at([0, 0, 0.13]), massKg: 1 },
    shapes: [hub(0.049, 0.056), tube(0.036, { from: 0.02, to: 0.056 })],
  },
  {
    ...{ ...arm(7, 'z'), origin: at([0, 0, 0.07]), massKg: 0.4 },
    shapes: [ring(0.04), tube(0.034, { from: 0.014, to: 0.03 })],
  },
  {
    ...{ name: 'ft_sensor', parent: 'link7', origin: at([0, 0, 0.03]), massKg: 0.2 },
    shapes: [tube(0.04, { from: 0, to: 0.025, color: STEEL })],
  },
  {
    ...{ name: 'hand', parent: 'ft_sensor', origin: at([0, 0, 0.025]), massKg: 0.45 },
    shapes: [
      { kind: 'box', halfSize: [0.025, 0.078, 0.031], center: [0, 0, 0.031], color: WHITE },
      // The wrist camera's bracket.
      { kind: 'box', halfSize: [0.03, 0.012, 0.006], center: [0.054, 0, 0.012], color: DARK },
    ],
  },
  finger(1, 1),
  finger(2, -1),
  { name: 'tcp', parent: 'hand', origin: at([0, 0, 0.108]), massKg: 0, shapes: [] },
  {
    ...{ name: 'fingertip_tactile', parent: 'finger_left', massKg: 0, shapes: [] },
    // z out of the pad, y towards the fingertip: rows run along y, columns along x.
    origin: { position: [0, 0, PAD.height], orientation: fromAxes([1, 0, 0], [0, 0, 1], [0, -1, 0]) },
  },
  camera('front', {
    parent: 'world',
    origin: lookAt({ from: [0.98, -0.86, 0.6], to: [0.2, 0, 0.27], up: [0, 0, 1] }),
  }),
  camera('wrist', {
    parent: 'hand',
    origin: lookAt({ from: [0.085, 0, 0.03], to: [-0.01, 0, 0.15], up: [-1, 0, 0] }),
  }),
];
