import type { Link, Shape } from './link.ts';
import type { Pose } from './pose.ts';
import { ARM_JOINTS, BLOCK, FINGER_JOINTS, LINKS, TABLE } from './robot-model.ts';

/** Physics step, seconds. */
export const STEP_SECS = 0.002;

/** Where the sensors lie in MuJoCo's array of readings: the order of <sensor> below. */
export const SENSORS = { force: 0, torque: 3, touchLeft: 6, touchRight: 7, touchTable: 8 } as const;

/** Actuators: one position servo per arm joint, then the gripper with its aperture in metres. */
export const GRIPPER_ACTUATOR = ARM_JOINTS.length;

/** The physics model: the robot of the table in robot-model.ts, a block, and the surface under both. */
export function createMjcf(): string {
  const halfEdge = BLOCK.edge / 2;
  const [halfX, halfY] = [(TABLE.max[0] - TABLE.min[0]) / 2, (TABLE.max[1] - TABLE.min[1]) / 2];
  return `<mujoco model="demo-arm">
  <compiler angle="radian" autolimits="true"/>
  <option timestep="${STEP_SECS}" integrator="implicitfast" cone="elliptic" impratio="10"/>
  <worldbody>
    <geom name="table" type="box" size="${halfX} ${halfY} ${TABLE.thickness / 2}"
      pos="${TABLE.min[0] + halfX} ${TABLE.min[1] + halfY} ${-TABLE.thickness / 2}" friction="0.8 0.01 0.001"/>
    ${bodiesUnder('world')}
    <body name="block" pos="0.45 0 ${halfEdge}">
      <freejoint/>
      <geom name="block" type="box" size="${halfEdge} ${halfEdge} ${halfEdge}" mass="${BLOCK.massKg}"
        condim="4" friction="1 0.01 0.001"/>
      <site name="block_bottom" type="box" size="${halfEdge * 1.1} ${halfEdge * 1.1} 0.002" pos="0 0 ${-halfEdge}"/>
    </body>
  </worldbody>
  <tendon>
    <fixed name="aperture">
      ${FINGER_JOINTS.map((joint) => `<joint joint="${joint}" coef="1"/>`).join('')}
    </fixed>
  </tendon>
  <equality>
    <joint joint1="${FINGER_JOINTS[1]}" joint2="${FINGER_JOINTS[0]}" polycoef="0 1 0 0 0" solref="0.005 1"/>
  </equality>
  <actuator>
    ${ARM_JOINTS.map((joint, i) => `<position joint="${joint}" kp="${i < 4 ? 3000 : 1000}" dampratio="1"/>`).join('\n    ')}
    <position tendon="aperture" kp="1200" kv="40" forcerange="-30 30"/>
  </actuator>
  <sensor>
    <force site="ft_sensor"/>
    <torque site="ft_sensor"/>
    <touch site="finger_left"/>
    <touch site="finger_right"/>
    <touch site="block_bottom"/>
  </sensor>
</mujoco>`;
}

function bodiesUnder(parent: string): string {
  return LINKS.filter((link) => link.parent === parent)
    .map(
      (link) => `<body name="${link.name}" gravcomp="1" ${placement(link.origin)}>
        ${jointOf(link)}
        ${link.shapes.map((shape) => geomOf(shape, link)).join('\n        ')}
        ${siteOf(link)}
        ${bodiesUnder(link.name)}
      </body>`,
    )
    .join('\n');
}

function placement({ position, orientation: [x, y, z, w] }: Pose): string {
  return `pos="${position.join(' ')}" quat="${w} ${x} ${y} ${z}"`;
}

function jointOf({ joint }: Link): string {
  if (!joint) return '';
  const { name, kind, axis, range, effortLimit } = joint;
  const inertia = kind === 'revolute' ? 'armature="0.15" damping="1.5"' : 'armature="0.02" damping="4"';
  return `<joint name="${name}" type="${kind === 'revolute' ? 'hinge' : 'slide'}" axis="${axis.join(' ')}"
    range="${range.join(' ')}" actuatorfrcrange="${-effortLimit} ${effortLimit}" actuatorgravcomp="true" ${inertia}/>`;
}

function geomOf(shape: Shape, { name, massKg, shapes }: Link): string {
  const contact = shape.collides
    ? `name="${name}_pad" condim="4" friction="1.4 0.02 0.001"`
    : 'contype="0" conaffinity="0"';
  return `<geom ${sizeOf(shape)} pos="${shape.center.join(' ')}" mass="${massKg / shapes.length}" ${contact}/>`;
}

function sizeOf(shape: Shape): string {
  switch (shape.kind) {
    case 'box':
      return `type="box" size="${shape.halfSize.join(' ')}"`;
    case 'cylinder': {
      const zaxis = { x: '1 0 0', y: '0 1 0', z: '0 0 1' }[shape.axis];
      return `type="cylinder" size="${shape.radius} ${shape.halfLength}" zaxis="${zaxis}"`;
    }
  }
  shape satisfies never;
}

/** The force-torque sensor sits in its own frame; a touch site wraps each pad. */
function siteOf({ name, shapes }: Link): string {
  if (name === 'ft_sensor') return '<site name="ft_sensor"/>';
  const pad = shapes.find(({ collides }) => collides);
  if (pad?.kind !== 'box') return '';
  const size = pad.halfSize.map((half) => half * 1.3).join(' ');
  return `<site name="${name}" type="box" size="${size}" pos="${pad.center.join(' ')}"/>`;
}
