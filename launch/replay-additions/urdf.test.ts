import { describe, expect, test } from 'vitest';
import { jointPose, urdfJoints } from './urdf.ts';

const URDF = `<?xml version="1.0"?>
<robot name='arm'> <!-- <joint name="no" type="fixed"/> -->
  <link name="base"/> <link name="upper"><visual><geometry><box size="1 1 1"/></geometry></visual></link>
  <joint name="turn" type="revolute">
    <origin xyz="0 0 1" rpy="0 0 1.5707963267948966"/>
    <parent link="base"/><child link="upper"/><axis xyz="0 0 2"/>
    <limit lower="-1" upper="1" effort="1" velocity="1"/>
  </joint>
  <joint name="slide" type="prismatic">
    <parent link="upper"/> <child link="finger"/> <axis xyz="0 1 0"/>
    <mimic joint="turn" multiplier="-0.5" offset="0.1"/>
  </joint>
  <joint name="stiff" type="fixed"><parent link="finger"/><child link="tip"/></joint>
  <transmission name="t"><joint name="turn"><hardwareInterface>x</hardwareInterface></joint></transmission>
</robot>`;

describe('urdfJoints()', () => {
  const joints = urdfJoints(URDF);

  test('reads joints and passes over comments, transmissions and links', () => {
    expect(joints.map(({ name, kind, parent, child }) => [name, kind, parent, child])).toEqual([
      ['turn', 'turning', 'base', 'upper'],
      ['slide', 'sliding', 'upper', 'finger'],
      ['stiff', 'fixed', 'finger', 'tip'],
    ]);
    expect(joints[0]!.axis).toEqual([0, 0, 1]);
    expect(joints[2]!.origin).toEqual({ position: [0, 0, 0], orientation: [0, 0, 0, 1] });
  });

  test.each(['', 'no XML at all', '<robot><joint name="a" type="fixed"', '</joint></robot>'])(
    'finds nothing in %j',
    (xml) => {
      expect(urdfJoints(xml)).toEqual([]);
    },
  );

  test('jointPose() puts the child behind its origin, and mimics follow', () => {
    const at = (name: string) => (name === 'turn' ? 0.4 : undefined);
    const turned = jointPose(joints[0]!, at);
    expect(turned.position).toEqual([0, 0, 1]);
    const half = (Math.PI / 2 + 0.4) / 2;
    expect(turned.orientation[2]).toBeCloseTo(Math.sin(half), 12);
    expect(turned.orientation[3]).toBeCloseTo(Math.cos(half), 12);
    expect(jointPose(joints[1]!, at).position[1]).toBeCloseTo(-0.1, 12);
    expect(jointPose(joints[1]!, () => undefined).position).toEqual([0, 0, 0]);
  });
});
