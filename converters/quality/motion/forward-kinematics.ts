import type { MessageValue } from '../../../schemas/message.ts';
import { multiply, type Quaternion } from '../../../schemas/quaternion.ts';
import { normalized, rotate } from '../../rotation.ts';
import type { Judgement } from '../check.ts';
import { QuantileSketch } from '../quantile-sketch.ts';
import type { UrdfJoint } from './robot-description.ts';

/** Forward kinematics is compared this often. */
const COMPARE_NANOS = 100_000_000n;
/** Of the distance, millimetres. */
export const DISTANCE_LIMITS = { warn: 1, fail: 10 } as const;
/** What those are at 0.57 m. */
const WARN_DEGREES = 0.1;
const FAIL_DEGREES = 1;

type Vector = readonly [number, number, number];

interface Pose {
  readonly position: Vector;
  readonly rotation: Quaternion;
}

interface PendingTransforms {
  readonly time: bigint;
  readonly logTime: bigint;
  readonly byChild: ReadonlyMap<string, Pose>;
}

/** Compares the transforms of one stream with what the joints say. */
export class KinematicsWatch {
  compared = 0;
  readonly #distances = new Residual();
  readonly #angles = new Residual();
  readonly #byChild = new Map<string, Pose>();
  #pending: PendingTransforms | undefined;
  #nextTime = 0n;

  transforms(
    value: MessageValue | undefined,
    times: { readonly time: bigint; readonly logTime: bigint },
  ): void {
    if (!Array.isArray(value?.transforms)) return;
    for (const { child_frame_id: child, transform } of value.transforms) {
      const { translation, rotation } = transform ?? {};
      if (typeof child !== 'string' || !translation || !rotation) continue;
      const unit = normalized([rotation.x, rotation.y, rotation.z, rotation.w]);
      if (unit)
        this.#byChild.set(child, { position: [translation.x, translation.y, translation.z], rotation: unit });
    }
    if (this.#pending || times.time < this.#nextTime) return;
    this.#pending = { ...times, byChild: new Map(this.#byChild) };
    this.#nextTime = times.time + COMPARE_NANOS;
  }

  /** Once a state from after the transforms has come. */
  compare(
    joints: ReadonlyMap<string, UrdfJoint>,
    states: readonly { readonly time: bigint; readonly positions: ReadonlyMap<string, number> }[],
  ): void {
    const pending = this.#pending;
    const after = states.at(-1);
    if (!pending || !after || after.time < pending.time) return;
    this.#pending = undefined;
    const at = states.findLastIndex(({ time }) => time <= pending.time);
    const [before, next] = [states[at], states[at + 1] ?? states[at]];
    if (!before || !next || joints.size === 0) return;
    const span = Number(next.time - before.time);
    const share = span > 0 ? Number(pending.time - before.time) / span : 0;
    const positionOf = (name: string) => {
      const [from, to] = [before.positions.get(name), next.positions.get(name)];
      return from === undefined || to === undefined ? undefined : from + (to - from) * share;
    };
    this.#measure(joints, positionOf, pending);
  }

  judgement(): Judgement {
    const [value, degrees] = [this.#distances.usual, this.#angles.usual];
    const byAngle = statusOfAngle(degrees, value);
    const { link, window } = byAngle ? this.#angles : this.#distances;
    return {
      ...(byAngle && { status: byAngle }),
      ...{ value, channel: link, window },
      evidence: { compared: this.compared, degrees: Number(degrees.toFixed(3)) },
      reason: `${link} lies ${value.toFixed(1)} mm and ${degrees.toFixed(2)}° from where its joints put it`,
    };
  }

  #measure(
    joints: ReadonlyMap<string, UrdfJoint>,
    positionOf: (name: string) => number | undefined,
    { byChild, logTime }: PendingTransforms,
  ): void {
    const expected = new Map<string, Pose>();
    const measured = new Map<string, Pose>();
    let [mm, farthest] = [-1, ''];
    let [degrees, mostTurned] = [-1, ''];
    // Parents come before their children once every link that is known has been walked.
    const open = new Set(joints.values());
    for (let walked = true; walked; ) {
      walked = false;
      for (const joint of open) {
        const isRoot = ![...open].some(({ child }) => child === joint.parent);
        if (!isRoot) continue;
        open.delete(joint);
        walked = true;
        const position = positionOf(joint.name);
        const own = jointPose(joint, position ?? 0);
        const sent = position === undefined ? own : byChild.get(joint.child);
        if (!sent) continue;
        expected.set(joint.child, compose(expected.get(joint.parent), own));
        measured.set(joint.child, compose(measured.get(joint.parent), sent));
        if (position === undefined) continue;
        const [a, b] = [expected.get(joint.child)!, measured.get(joint.child)!];
        const away = 1000 * Math.hypot(...a.position.map((value, axis) => value - b.position[axis]!));
        const turned = (angleBetween(a.rotation, b.rotation) * 180) / Math.PI;
        if (away > mm) [mm, farthest] = [away, joint.child];
        if (turned > degrees) [degrees, mostTurned] = [turned, joint.child];
      }
    }
    if (mm < 0) return;
    this.compared++;
    const window = { startTime: logTime, endTime: logTime + 1n };
    this.#distances.add(mm, farthest, window);
    this.#angles.add(degrees, mostTurned, window);
  }
}

/** Of one kind, how far the links usually are off, and which one most. */
class Residual {
  link = '';
  window: Judgement['window'];
  readonly #values = new QuantileSketch();
  #worst = -1;

  add(value: number, link: string, window: Judgement['window']): void {
    this.#values.add(value);
    if (value <= this.#worst) return;
    this.#worst = value;
    [this.link, this.window] = [link, window];
  }

  get usual(): number {
    return this.#values.quantile(0.95)!;
  }
}

/** Where the angle alone is worse than the distance. */
function statusOfAngle(degrees: number, mm: number): 'warn' | 'fail' | undefined {
  if (degrees > FAIL_DEGREES && mm <= DISTANCE_LIMITS.fail) return 'fail';
  return degrees > WARN_DEGREES && mm <= DISTANCE_LIMITS.warn ? 'warn' : undefined;
}

/** By the chord between them, which small angles do not cancel out of; q and −q are the same. */
function angleBetween(a: Quaternion, b: Quaternion): number {
  const chord = (sign: number) => Math.hypot(...a.map((value, i) => value - sign * b[i]!));
  return 4 * Math.asin(Math.min(1, Math.min(chord(1), chord(-1)) / 2));
}

function jointPose({ type, xyz, rpy, axis }: UrdfJoint, position: number): Pose {
  const rotation = fromRpy(rpy);
  const length = Math.hypot(...axis) || 1;
  const unit: Vector = [axis[0] / length, axis[1] / length, axis[2] / length];
  if (type === 'prismatic') {
    const slide: Pose = {
      position: [unit[0] * position, unit[1] * position, unit[2] * position],
      rotation: [0, 0, 0, 1],
    };
    return compose({ position: xyz, rotation }, slide);
  }
  const sine = type === 'fixed' ? 0 : Math.sin(position / 2);
  const cosine = type === 'fixed' ? 1 : Math.cos(position / 2);
  const turn: Quaternion = [unit[0] * sine, unit[1] * sine, unit[2] * sine, cosine];
  return { position: xyz, rotation: multiply(rotation, turn) };
}

/** URDF: about the fixed axes x, y and z in turn. */
function fromRpy([roll, pitch, yaw]: Vector): Quaternion {
  const x: Quaternion = [Math.sin(roll / 2), 0, 0, Math.cos(roll / 2)];
  const y: Quaternion = [0, Math.sin(pitch / 2), 0, Math.cos(pitch / 2)];
  const z: Quaternion = [0, 0, Math.sin(yaw / 2), Math.cos(yaw / 2)];
  return multiply(z, multiply(y, x));
}

function compose(parent: Pose | undefined, child: Pose): Pose {
  if (!parent) return child;
  const turned = rotate(parent.rotation, child.position);
  return {
    position: [
      parent.position[0] + turned[0],
      parent.position[1] + turned[1],
      parent.position[2] + turned[2],
    ],
    rotation: multiply(parent.rotation, child.rotation),
  };
}
