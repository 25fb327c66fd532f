import type { Axis, Color, Joint, Link, Shape } from './link.ts';
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

/** A cylinder along the link's z axis. */
function tube(from: number, to: number, radius: number, color: Color = WHITE): Shape {
  return {
    ...{ kind: 'cylinder', radius, halfLength: (to - from) / 2, axis: 'z' },
    ...{ center: [0, 0, (from + to) / 2], color },
  };
}

/** The housing of a joint that turns about y. */
function hub(radius: number, halfLength: number, color: Color = ORANGE, axis: Axis = 'y'): Shape {
  return { kind: 'cylinder', radius, halfLength, axis, center: [0, 0, 0], color };
}

function box(halfSize: Vec3, center: Vec3, color: Color, collides = false): Shape {
  return { kind: 'box', halfSize, center, color, collides };
}

function revolute(number: number, axis: 'y' | 'z'): Joint {
  return {
    name: `joint${number}`,
    kind: 'revolute',
    axis: axis === 'y' ? [0, 1, 0] : [0, 0, 1],
    range: axis === 'y' ? [-2.2, 2.2] : [-2.9, 2.9],
    effortLimit: number <= 4 ? 90 : 30,
    velocityLimit: 2.2,
  };
}

/** Link n of the arm, which joint n turns at this height above link n-1. */
function arm(
  number: number,
  axis: 'y' | 'z',
  height: number,
  massKg: number,
  shapes: readonly Shape[],
): Link {
  return {
    name: `link${number}`,
    parent: number === 1 ? 'base_link' : `link${number - 1}`,
    origin: at([0, 0, height]),
    joint: revolute(number, axis),
    shapes,
    massKg,
  };
}

function finger(name: string, joint: string, side: 1 | -1): Link {
  return {
    name,
    parent: 'hand',
    origin: at([0, 0, 0.062]),
    joint: {
      name: joint,
      kind: 'prismatic',
      axis: [0, side, 0],
      range: [0, MAX_APERTURE / 2],
      effortLimit: 30,
      velocityLimit: 0.2,
    },
    shapes: [
      box([0.011, 0.005, 0.03], [0, side * 0.015, 0.03], STEEL),
      box([PAD.width / 2, 0.005, PAD.length / 2], [0, side * 0.005, PAD.height], DARK, true),
    ],
    massKg: 0.04,
  };
}

function fixed(name: string, parent: string, origin: Pose, massKg = 0, shapes: readonly Shape[] = []): Link {
  return { name, parent, origin, shapes, massKg };
}

function at(position: Vec3): Pose {
  return { ...IDENTITY, position };
}

/** Optical frame (x right, y down, z forward) of a camera that looks from one point at another. */
function lookAt(from: Vec3, to: Vec3, up: Vec3): Pose {
  const forward = normalize(subtract(to, from));
  const right = normalize(cross(forward, up));
  return { position: from, orientation: fromAxes(right, cross(forward, right), forward) };
}

/** The housing lies behind the lens, so no camera sees its own. */
function camera(name: string, parent: string, origin: Pose): Link {
  return fixed(name, parent, origin, 0.05, [box([0.02, 0.012, 0.01], [0, 0, -0.012], DARK)]);
}

/** A ring around the seam between two links. */
const ring = (radius: number): Shape => tube(-0.014, 0.014, radius, GREY);

/** Every link, parents before children; the root is `world`. */
export const LINKS: readonly Link[] = [
  fixed('base_link', 'world', IDENTITY, 4, [tube(0, 0.03, 0.1, GREY), tube(0.03, 0.15, 0.068)]),
  arm(1, 'z', 0.15, 2.5, [ring(0.072), tube(0.014, 0.17, 0.06, ORANGE)]),
  arm(2, 'y', 0.17, 2.5, [hub(0.066, 0.075, GREY), tube(0.05, 0.2, 0.052)]),
  arm(3, 'z', 0.2, 2, [ring(0.055), tube(0.014, 0.14, 0.05)]),
  arm(4, 'y', 0.14, 2, [hub(0.06, 0.066), tube(0.04, 0.19, 0.045)]),
  arm(5, 'z', 0.19, 1.2, [ring(0.048), tube(0.014, 0.13, 0.042)]),
  arm(6, 'y', 0.13, 1, [hub(0.049, 0.056), tube(0.02, 0.056, 0.036)]),
  arm(7, 'z', 0.07, 0.4, [ring(0.04), tube(0.014, 0.03, 0.034)]),
  fixed('ft_sensor', 'link7', at([0, 0, 0.03]), 0.2, [tube(0, 0.025, 0.04, STEEL)]),
  fixed('hand', 'ft_sensor', at([0, 0, 0.025]), 0.45, [
    box([0.025, 0.078, 0.031], [0, 0, 0.031], WHITE),
    box([0.03, 0.012, 0.006], [0.054, 0, 0.012], DARK), // the wrist camera's bracket
  ]),
  finger('finger_left', 'finger_joint1', 1),
  finger('finger_right', 'finger_joint2', -1),
  fixed('tcp', 'hand', at([0, 0, 0.108])),
  // z out of the left pad, y towards the fingertip: rows run along y, columns along x.
  fixed('fingertip_tactile', 'finger_left', {
    position: [0, 0, PAD.height],
    orientation: fromAxes([1, 0, 0], [0, 0, 1], [0, -1, 0]),
  }),
  camera('camera_front_optical_frame', 'world', lookAt([0.98, -0.86, 0.6], [0.2, 0, 0.25], [0, 0, 1])),
  camera('camera_wrist_optical_frame', 'hand', lookAt([0.085, 0, 0.03], [-0.01, 0, 0.15], [-1, 0, 0])),
];
