import { beforeAll, describe, expect, test } from 'vitest';
import { multiply } from '../../schemas/quaternion.ts';
import { InverseKinematics } from './ik.ts';
import { createMjcf } from './mjcf.ts';
import { type Kinematics, Physics } from './physics.ts';
import { toolPose } from './pick-and-place.ts';
import {
  axisAngle,
  compose,
  IDENTITY,
  norm,
  type Pose,
  rotationBetween,
  scale,
  subtract,
  type Vec3,
} from './pose.ts';
import { Random } from './random.ts';
import { HOME, JOINTS, LINKS } from './robot-model.ts';
import { worldPose } from './tf-chain.fixture.ts';
import { fixedTransforms, movingTransforms } from './transforms.ts';
import { createUrdf } from './urdf.ts';

let kinematics: Kinematics;
beforeAll(async () => {
  kinematics = (await Physics.load(createMjcf())).kinematics;
});

/** Joint positions anywhere in their ranges. */
function anyPosture(random: Random): number[] {
  return JOINTS.map((name) => {
    const [low, high] = LINKS.find(({ joint }) => joint?.name === name)!.joint!.range;
    return random.between(low, high);
  });
}

function expectSamePose(found: Pose, expected: Pose, what: string) {
  expect(norm(subtract(found.position, expected.position)), `position of ${what}`).toBeLessThan(1e-6);
  expect(norm(rotationBetween(found.orientation, expected.orientation)), `rotation of ${what}`).toBeLessThan(
    1e-6,
  );
}

interface UrdfJoint {
  readonly name: string;
  readonly type: string;
  readonly parent: string;
  readonly child: string;
  readonly origin: Pose;
  readonly axis: Vec3 | undefined;
}

/** Reads the joints of a URDF by itself, knowing nothing of the table it was made from. */
function urdfJoints(urdf: string): UrdfJoint[] {
  const vector = (text: string): Vec3 => {
    const [x, y, z] = text.split(' ').map(Number);
    return [x!, y!, z!];
  };
  return [...urdf.matchAll(/<joint name="(\w+)" type="(\w+)">(.*?)<\/joint>/gs)].map(
    ([, name, type, body]) => {
      const attribute = (pattern: RegExp) => pattern.exec(body!)?.[1];
      const [roll, pitch, yaw] = vector(attribute(/<origin [^>]*rpy="([^"]+)"/)!);
      const axis = attribute(/<axis xyz="([^"]+)"/);
      return {
        name: name!,
        type: type!,
        parent: attribute(/<parent link="(\w+)"/)!,
        child: attribute(/<child link="(\w+)"/)!,
        origin: {
          position: vector(attribute(/<origin xyz="([^"]+)"/)!),
          orientation: multiply(
            axisAngle([0, 0, 1], yaw),
            multiply(axisAngle([0, 1, 0], pitch), axisAngle([1, 0, 0], roll)),
          ),
        },
        axis: axis === undefined ? undefined : vector(axis),
      };
    },
  );
}

describe('createUrdf()', () => {
  const joints = urdfJoints(createUrdf());

  test('has the joints of /joint_states, and one root', () => {
    expect(joints.filter(({ type }) => type !== 'fixed').map(({ name }) => name)).toEqual(JOINTS);
    const children = joints.map(({ child }) => child);
    expect(new Set(children).size).toBe(children.length);
    expect(
      [...new Set(joints.map(({ parent }) => parent))].filter((name) => !children.includes(name)),
    ).toEqual(['world']);
  });

  test('places every link where the physics has it, for any posture', () => {
    const random = new Random('urdf');
    for (let i = 0; i < 5; i++) {
      const posture = anyPosture(random);
      kinematics.qpos.set(posture);
      kinematics.update();
      const worldFrom = (link: string): Pose => {
        const joint = joints.find(({ child }) => child === link);
        if (!joint) return IDENTITY;
        const q = posture[JOINTS.indexOf(joint.name)];
        const moved: Pose =
          joint.type === 'revolute'
            ? { ...IDENTITY, orientation: axisAngle(joint.axis!, q!) }
            : { ...IDENTITY, position: joint.axis ? scale(joint.axis, q!) : [0, 0, 0] };
        return compose(worldFrom(joint.parent), compose(joint.origin, moved));
      };
      for (const { child } of joints)
        expectSamePose(worldFrom(child), kinematics.pose(kinematics.bodyId(child)), child);
    }
  });
});

test('movingTransforms() and fixedTransforms() place every link where the physics has it', () => {
  const random = new Random('tf');
  const stamp = { sec: 0, nanosec: 0 };
  for (let i = 0; i < 5; i++) {
    const posture = anyPosture(random);
    kinematics.qpos.set(posture);
    kinematics.update();
    const tree = [fixedTransforms(stamp), movingTransforms(stamp, posture)];
    for (const { name } of LINKS) {
      expectSamePose(worldPose(name, tree), kinematics.pose(kinematics.bodyId(name)), name);
    }
  }
});

test('InverseKinematics.solve() reaches every place of the task from rest, fingers down', () => {
  const ik = new InverseKinematics(kinematics);
  for (const [x, y, z, yaw] of [
    [0.36, 0, 0.02, 0],
    [0.52, 0, 0.15, 0.5],
    [0.38, 0.35, 0.02, -0.7],
    [0.38, -0.35, 0.15, 0.7],
  ] as const) {
    const target = toolPose({ position: [x, y, z], yaw, aperture: 0 });
    const joints = ik.solve(HOME, target, 80);
    kinematics.qpos.set(joints);
    kinematics.update();
    const tool = kinematics.pose(kinematics.bodyId('tcp'));
    expect(norm(subtract(tool.position, target.position))).toBeLessThan(1e-3);
    expect(norm(rotationBetween(tool.orientation, target.orientation))).toBeLessThan(5e-3);
  }
});
