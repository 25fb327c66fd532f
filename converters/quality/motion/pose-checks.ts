import type { MessageValue } from '../../../schemas/message.ts';
import type { Quaternion } from '../../../schemas/quaternion.ts';
import type { Check, Judgement, Watch } from '../check.ts';
import { perStream } from '../per-stream.ts';
import type { CheckedStream } from '../subject.ts';
import { DISTANCE_LIMITS, KinematicsWatch } from './forward-kinematics.ts';
import { isJointState, jointsOf } from './joints.ts';
import { isDescription, RobotDescription } from './robot-description.ts';

const TRANSFORMS = /\/TFMessage$/;
const POSES = /\/(TFMessage|TransformStamped|PoseStamped|PoseWithCovarianceStamped|Odometry|Imu)$/;
/** States kept for the instants between them. */
const MOST_STATES = 512;

/** Poses that the robot publishes: whether they are rotations at all, and those of its own joints. */
export const POSE_CHECKS: readonly Check[] = [
  {
    id: 'K13',
    title: 'poses against forward kinematics',
    claim: 'RISK',
    runs: 'take',
    unit: 'mm',
    limits: { ...DISTANCE_LIMITS, validated: true },
    explain: {
      cause:
        'The robot description is another calibration’s, an encoder’s zero has moved, or stamps do not match.',
      formula:
        'p95 of the largest distance of a link from where URDF and joint positions put it, both by the chain of moving ' +
        'transforms; positions on the line between the states around the stamp. Likewise the largest angle, which a ' +
        'last joint shows alone: above 0.1° it warns, above 1° it fails, as 1 mm and 10 mm do at 0.57 m.',
      remedy: 'Publish transforms from the same description and states; calibrate the joint’s zero.',
      example: 'tf: link6 lies 14.2 mm and 0.31° from where its joints put it',
      source: 'Kalanos (1 mm); limits of the angle our own',
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
