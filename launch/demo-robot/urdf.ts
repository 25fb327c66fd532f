import type { Quaternion } from '../../schemas/quaternion.ts';
import type { Link, Shape } from './link.ts';
import { type Pose, toRollPitchYaw, type Vec3 } from './pose.ts';
import { FINGER_JOINTS, LINKS } from './robot-model.ts';

/** The robot's description as `/robot_description` carries it, made from the same table as the physics. */
export function createUrdf(): string {
  return [
    '<?xml version="1.0"?>',
    '<robot name="demo_arm">',
    '  <link name="world"/>',
    ...LINKS.flatMap((link) => [linkElement(link), jointElement(link)]),
    '</robot>',
    '',
  ].join('\n');
}

function linkElement({ name, shapes, massKg }: Link): string {
  if (shapes.length === 0) return `  <link name="${name}"/>`;
  return [
    `  <link name="${name}">`,
    ...shapes.map((shape, i) => visual(shape, `${name}_${i}`)),
    ...shapes.filter(({ collides }) => collides).map(collision),
    ...(massKg > 0 ? [inertial(massKg)] : []),
    '  </link>',
  ].join('\n');
}

function visual(shape: Shape, material: string): string {
  return `    <visual>
      ${originElement({ position: shape.center, orientation: shapeRotation(shape) })}
      <geometry>${geometry(shape)}</geometry>
      <material name="${material}"><color rgba="${shape.color.join(' ')} 1"/></material>
    </visual>`;
}

function collision(shape: Shape): string {
  return `    <collision>
      ${originElement({ position: shape.center, orientation: shapeRotation(shape) })}
      <geometry>${geometry(shape)}</geometry>
    </collision>`;
}

/** Mass with the inertia of a ball of 5 cm: enough for viewers, the physics has its own. */
function inertial(massKg: number): string {
  const inertia = 0.4 * massKg * 0.05 ** 2;
  return `    <inertial>
      <mass value="${massKg}"/>
      <inertia ixx="${inertia}" iyy="${inertia}" izz="${inertia}" ixy="0" ixz="0" iyz="0"/>
    </inertial>`;
}

function geometry(shape: Shape): string {
  switch (shape.kind) {
    case 'box':
      return `<box size="${numbers(shape.halfSize.map((half) => half * 2))}"/>`;
    case 'cylinder':
      return `<cylinder radius="${shape.radius}" length="${numbers([shape.halfLength * 2])}"/>`;
  }
  shape satisfies never;
}

const QUARTER = Math.SQRT1_2;
/** URDF's cylinders stand along z. */
function shapeRotation(shape: Shape): Quaternion {
  if (shape.kind !== 'cylinder' || shape.axis === 'z') return [0, 0, 0, 1];
  return shape.axis === 'x' ? [0, QUARTER, 0, QUARTER] : [-QUARTER, 0, 0, QUARTER];
}

function jointElement({ name, parent, origin, joint }: Link): string {
  const type = joint?.kind ?? 'fixed';
  return [
    `  <joint name="${joint?.name ?? `${name}_fixed`}" type="${type}">`,
    `    <parent link="${parent}"/>`,
    `    <child link="${name}"/>`,
    `    ${originElement(origin)}`,
    ...(joint
      ? [
          `    <axis xyz="${joint.axis.join(' ')}"/>`,
          `    <limit lower="${joint.range[0]}" upper="${joint.range[1]}" effort="${joint.effortLimit}" velocity="${joint.velocityLimit}"/>`,
          ...(joint.name === FINGER_JOINTS[1] ? [`    <mimic joint="${FINGER_JOINTS[0]}"/>`] : []),
        ]
      : []),
    '  </joint>',
  ].join('\n');
}

function originElement({ position, orientation }: Pose): string {
  const rpy: Vec3 = toRollPitchYaw(orientation);
  return `<origin xyz="${numbers(position)}" rpy="${numbers(rpy)}"/>`;
}

/** Without the noise of floating point, and far below any tolerance. */
function numbers(values: readonly number[]): string {
  return values.map((value) => Number(value.toFixed(9))).join(' ');
}
