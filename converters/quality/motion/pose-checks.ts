import type { MessageValue } from '../../../schemas/message.ts';
import { multiply, type Quaternion } from '../../../schemas/quaternion.ts';
import { normalized, rotate } from '../../rotation.ts';
import type { Check, Judgement, Watch } from '../check.ts';
import { perStream } from '../per-stream.ts';
import { QuantileSketch } from '../quantile-sketch.ts';
import type { CheckedStream } from '../subject.ts';
import { isJointState, jointsOf } from './joints.ts';
import { isDescription, RobotDescription, type UrdfJoint } from './robot-description.ts';

const TRANSFORMS = /\/TFMessage$/;
const POSES = /\/(TFMessage|TransformStamped|PoseStamped|PoseWithCovarianceStamped|Odometry|Imu)$/;
/** Forward kinematics is compared this often. */
const COMPARE_NANOS = 100_000_000n;
/** States kept for the instants between them. */
const MOST_STATES = 512;

type Vector = readonly [number, number, number];

interface Pose {
  readonly position: Vector;
  readonly rotation: Quaternion;
}

/** Poses that the robot publishes: whether they are rotations at all, and those of its own joints. */
export const POSE_CHECKS: readonly Check[] = [
  {
    id: 'K13',
    title: 'poses against forward kinematics',
    claim: 'RISK',
    runs: 'take',
    unit: 'mm',
    limits: { warn: 1, fail: 10, validated: true },
    explain: {
      cause:
        'The robot description is another calibration’s, an encoder’s zero has moved, or stamps do not match.',
      formula:
        'p95 of the largest distance of a link from where URDF and joint positions put it, both by the chain of moving ' +
        'transforms; positions on the line between the states around the stamp.',
      remedy: 'Publish transforms from the same description and states; calibrate the joint’s zero.',
      example: 'tf: link6 lies 14.2 mm from where its joints put it',
      source: 'Kalanos (1 mm)',
    },
    watch: (subject): Watch => {
      const robot = new RobotDescription(subject);
      const states: { readonly time: bigint; readonly positions: ReadonlyMap<string, number> }[] = [];
      const watches = new Map<CheckedStream, KinematicsWatch>();
      return {
        wants: (stream) => isDescription(stream) || isJointState(stream) || TRANSFORMS.test(stream.type),
        observe(observation) {
          const { stream } = observation;
          if (isDescription(stream)) return robot.observe(observation);
          const time = observation.sensorTime ?? observation.logTime;
          if (TRANSFORMS.test(stream.type)) {
            const watch = watches.get(stream) ?? new KinematicsWatch();
            watches.set(stream, watch);
            return watch.transforms(observation.value, { time, logTime: observation.logTime });
          }
          const joints = jointsOf(observation);
          if (!joints || time <= (states.at(-1)?.time ?? 0n)) return;
          states.push({
            time,
            positions: new Map(joints.names.map((name, i) => [name, joints.positions[i]!])),
          });
          if (states.length > MOST_STATES) states.splice(0, MOST_STATES / 2);
          for (const watch of watches.values()) watch.compare(robot.joints, states);
        },
        *findings(_now, facts): Generator<Judgement> {
          if (!facts) return;
          let said = false;
          for (const [stream, watch] of watches) {
            if (watch.compared === 0) continue;
            said = true;
            yield { stream, ...watch.judgement() };
          }
          if (said) return;
          const missing = robot.joints.size === 0 ? 'robot description' : 'transforms of its joints';
          yield { status: 'not_assessed', reason: `the episode holds no ${missing}` };
        },
      };
    },
  },
  {
    id: 'K14',
    title: 'quaternions of length one',
    claim: 'DEFECT',
    runs: 'live',
    unit: '',
    limits: { warn: 1e-3, fail: 1e-2, validated: true },
    explain: {
      cause:
        'A rotation was filled in field by field, interpolated without normalising, or never set at all.',
      formula: 'Largest |‖q‖ − 1| over all rotations of a stream. q and −q are the same and no fault.',
      remedy: 'Normalise where the rotation is made; an empty orientation must be (0, 0, 0, 1).',
      example: 'tf: a rotation of length 0.000',
      source: 'practice of REP 103',
    },
    watch: perStream(
      ({ type }) => POSES.test(type),
      () => {
        let [count, worst, length] = [0, 0, 1];
        let window: Judgement['window'];
        return {
          observe({ value, logTime }) {
            for (const [x, y, z, w] of quaternionsOf(value)) {
              count++;
              const norm = Math.hypot(x, y, z, w);
              const off = Number.isFinite(norm) ? Math.abs(norm - 1) : 1;
              if (off <= worst) continue;
              [worst, length, window] = [off, norm, { startTime: logTime, endTime: logTime + 1n }];
            }
          },
          *findings() {
            if (count === 0) return;
            const at = worst > 1e-3 ? window : undefined;
            yield {
              value: worst,
              window: at,
              evidence: { count },
              reason: `a rotation of length ${length.toFixed(3)}`,
            };
          },
        };
      },
    ),
  },
];

/** Every rotation of a message, however deep. */
function* quaternionsOf(value: unknown): Generator<Quaternion> {
  if (Array.isArray(value)) for (const each of value) yield* quaternionsOf(each);
  else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
    const { x, y, z, w } = value as MessageValue;
    if (typeof w === 'number') yield [Number(x), Number(y), Number(z), w];
    else for (const each of Object.values(value)) yield* quaternionsOf(each);
  }
}

interface PendingTransforms {
  readonly time: bigint;
  readonly logTime: bigint;
  readonly byChild: ReadonlyMap<string, Pose>;
}

/** Compares the transforms of one stream with what the joints say. */
class KinematicsWatch {
  compared = 0;
  readonly #residuals = new QuantileSketch();
  readonly #byChild = new Map<string, Pose>();
  #pending: PendingTransforms | undefined;
  #nextTime = 0n;
  #worst: { readonly mm: number; readonly link: string; readonly window: Judgement['window'] } | undefined;

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
    const value = this.#residuals.quantile(0.95)!;
    const link = this.#worst!.link;
    const reason = `${link} lies ${value.toFixed(1)} mm from where its joints put it`;
    return {
      value,
      channel: link,
      window: this.#worst!.window,
      evidence: { compared: this.compared },
      reason,
    };
  }

  #measure(
    joints: ReadonlyMap<string, UrdfJoint>,
    positionOf: (name: string) => number | undefined,
    { byChild, logTime }: PendingTransforms,
  ): void {
    const expected = new Map<string, Pose>();
    const measured = new Map<string, Pose>();
    let [mm, link] = [-1, ''];
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
        const [a, b] = [expected.get(joint.child)!.position, measured.get(joint.child)!.position];
        const away = 1000 * Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
        if (position !== undefined && away > mm) [mm, link] = [away, joint.child];
      }
    }
    if (mm < 0) return;
    this.compared++;
    this.#residuals.add(mm);
    if (mm > (this.#worst?.mm ?? -1)) {
      this.#worst = { mm, link, window: { startTime: logTime, endTime: logTime + 1n } };
    }
  }
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
