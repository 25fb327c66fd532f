import { multiply, type Quaternion } from '../../schemas/quaternion.ts';
import { axisAngle, compose, IDENTITY, type Pose, scale, type Vec3 } from '../demo-robot/pose.ts';

/** A joint of a robot description, and where it puts its child. */
export interface UrdfJoint {
  readonly name: string;
  readonly kind: 'fixed' | 'turning' | 'sliding';
  readonly parent: string;
  readonly child: string;
  /** parent_from_child with the joint at zero. */
  readonly origin: Pose;
  /** Unit vector in the child's frame. */
  readonly axis: Vec3;
  /** The joint that it follows: position times multiplier plus offset. */
  readonly mimic:
    | { readonly joint: string; readonly multiplier: number; readonly offset: number }
    | undefined;
}

const KINDS: Readonly<Record<string, UrdfJoint['kind']>> = {
  revolute: 'turning',
  continuous: 'turning',
  prismatic: 'sliding',
};

interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
}

/**
 * The joints of a robot description (URDF specification, wiki.ros.org/urdf/XML/joint); everything else in it is
 * for others. Joints of unknown kinds stand still.
 */
export function urdfJoints(xml: string): readonly UrdfJoint[] {
  const joints: UrdfJoint[] = [];
  const path: string[] = [];
  let open: { joint: Element; parts: Map<string, Element> } | undefined;
  for (const { name, attributes, isEnd, isEmpty } of tags(xml)) {
    if (isEnd) {
      path.pop();
      if (name === 'joint' && open && path.length === 1) {
        joints.push(jointOf(open.joint, open.parts));
        open = undefined;
      }
      continue;
    }
    // A transmission names joints too.
    if (name === 'joint' && path.length === 1 && !isEmpty)
      open = { joint: { name, attributes }, parts: new Map() };
    else if (path.length === 2) open?.parts.set(name, { name, attributes });
    if (!isEmpty) path.push(name);
  }
  return joints;
}

/** Position of a joint in a message of joint states, radians or metres; undefined where it is not told. */
export type JointPositions = (joint: string) => number | undefined;

/** parent_from_child at the joint's position; zero where nothing tells it. */
export function jointPose({ name, kind, origin, axis, mimic }: UrdfJoint, positions: JointPositions): Pose {
  if (kind === 'fixed') return origin;
  const followed = mimic && positions(mimic.joint);
  const position =
    positions(name) ?? (followed === undefined ? 0 : followed * mimic!.multiplier + mimic!.offset);
  const moved: Pose =
    kind === 'turning'
      ? { ...IDENTITY, orientation: axisAngle(axis, position) }
      : { ...IDENTITY, position: scale(axis, position) };
  return compose(origin, moved);
}

function jointOf({ attributes }: Element, parts: ReadonlyMap<string, Element>): UrdfJoint {
  const part = (name: string, attribute: string) => parts.get(name)?.attributes.get(attribute);
  const mimicked = part('mimic', 'joint');
  return {
    name: attributes.get('name') ?? '',
    kind: KINDS[attributes.get('type') ?? ''] ?? 'fixed',
    parent: part('parent', 'link') ?? '',
    child: part('child', 'link') ?? '',
    origin: {
      position: vector(part('origin', 'xyz'), [0, 0, 0]),
      orientation: fromRollPitchYaw(vector(part('origin', 'rpy'), [0, 0, 0])),
    },
    axis: unit(vector(part('axis', 'xyz'), [1, 0, 0])),
    mimic:
      mimicked === undefined
        ? undefined
        : {
            joint: mimicked,
            multiplier: Number(part('mimic', 'multiplier') ?? 1),
            offset: Number(part('mimic', 'offset') ?? 0),
          },
  };
}

function vector(text: string | undefined, missing: Vec3): Vec3 {
  const [x, y, z] = (text ?? '').trim().split(/\s+/).map(Number);
  const isVector = [x, y, z].every((each) => Number.isFinite(each)) && text?.trim() !== '';
  return isVector && x !== undefined && y !== undefined && z !== undefined ? [x, y, z] : missing;
}

function unit(axis: Vec3): Vec3 {
  const length = Math.hypot(...axis);
  return length > 0 ? scale(axis, 1 / length) : [1, 0, 0];
}

/** Roll, pitch and yaw about fixed axes, as URDF writes rotations. */
function fromRollPitchYaw([roll, pitch, yaw]: Vec3): Quaternion {
  const [x, y, z] = [axisAngle([1, 0, 0], roll), axisAngle([0, 1, 0], pitch), axisAngle([0, 0, 1], yaw)];
  return multiply(z, multiply(y, x));
}

const COMMENT = /<!--[\s\S]*?-->/g;
const TAG = /<(\/?)([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>/g;
const ATTRIBUTE = /([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

function* tags(xml: string): Generator<Element & { readonly isEnd: boolean; readonly isEmpty: boolean }> {
  for (const [, end, name = '', attributes = '', empty] of xml.replace(COMMENT, '').matchAll(TAG)) {
    yield {
      name,
      isEnd: end === '/',
      isEmpty: empty === '/',
      attributes: new Map(
        [...attributes.matchAll(ATTRIBUTE)].map(([, key = '', double, single]) => [
          key,
          double ?? single ?? '',
        ]),
      ),
    };
  }
}
