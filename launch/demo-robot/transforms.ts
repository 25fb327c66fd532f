import type { MessageValue } from '../../schemas/message.ts';
import type { Stamp } from '../../schemas/time.ts';
import type { Link } from './link.ts';
import { axisAngle, compose, IDENTITY, type Pose, scale } from './pose.ts';
import { JOINTS, LINKS } from './robot-model.ts';

/** tf2_msgs/msg/TFMessage of the links that joints move, as robot_state_publisher sends them. */
export function movingTransforms(stamp: Stamp, qpos: ArrayLike<number>): MessageValue {
  return {
    transforms: LINKS.filter(({ joint }) => joint).map((link) =>
      transform(stamp, link, jointPose(link, qpos)),
    ),
  };
}

/** tf2_msgs/msg/TFMessage of the links that are fixed to their parents. */
export function fixedTransforms(stamp: Stamp): MessageValue {
  return {
    transforms: LINKS.filter(({ joint }) => !joint).map((link) => transform(stamp, link, IDENTITY)),
  };
}

function jointPose({ joint }: Link, qpos: ArrayLike<number>): Pose {
  const position = qpos[JOINTS.indexOf(joint!.name)]!;
  return joint!.kind === 'revolute'
    ? { position: [0, 0, 0], orientation: axisAngle(joint!.axis, position) }
    : { ...IDENTITY, position: scale(joint!.axis, position) };
}

function transform(stamp: Stamp, { name, parent, origin }: Link, moved: Pose): MessageValue {
  const { position, orientation } = compose(origin, moved);
  return {
    header: { stamp, frame_id: parent },
    child_frame_id: name,
    transform: {
      translation: { x: position[0], y: position[1], z: position[2] },
      rotation: { x: orientation[0], y: orientation[1], z: orientation[2], w: orientation[3] },
    },
  };
}
