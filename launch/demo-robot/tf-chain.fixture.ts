import type { MessageValue } from '../../schemas/message.ts';
import { compose, IDENTITY, type Pose } from './pose.ts';

/** The part of a decoded geometry_msgs/msg/TransformStamped that places a frame. */
interface TransformStamped {
  readonly header: { readonly frame_id: string };
  readonly child_frame_id: string;
  readonly transform: {
    readonly translation: { readonly x: number; readonly y: number; readonly z: number };
    readonly rotation: { readonly x: number; readonly y: number; readonly z: number; readonly w: number };
  };
}

/** For tests: world_from_frame along the chain of transforms in these tf2_msgs/msg/TFMessage. */
export function worldPose(frame: string, messages: readonly MessageValue[]): Pose {
  const transforms = messages.flatMap((message) => message.transforms as readonly TransformStamped[]);
  const parent = transforms.find(({ child_frame_id }) => child_frame_id === frame);
  if (!parent) {
    if (frame !== 'world') throw new RangeError(`No transform places "${frame}"`);
    return IDENTITY;
  }
  const { translation: t, rotation: r } = parent.transform;
  const own: Pose = { position: [t.x, t.y, t.z], orientation: [r.x, r.y, r.z, r.w] };
  return compose(worldPose(parent.header.frame_id, messages), own);
}
