import type { Check, Judgement } from '../check.ts';
import { entryOf } from '../entry-of.ts';
import { Blocks } from './blocks.ts';
import { isGripper, isJointState, jointsOf } from './joints.ts';
import { NearLimit } from './near-limit.ts';
import { perRobotStream } from './per-robot.ts';
import type { JointLimits } from './robot-description.ts';
import { StepTrack } from './step-track.ts';
import { worstOf } from './worst.ts';

/** Radians or metres by which a joint may stand beyond its limit: calibration is no better. */
const LIMIT_MARGIN = 1e-3;
/** Share of the range that counts as near its end. */
const NEAR_SHARE = 0.05;

interface FastJoint {
  count: number;
  window: Judgement['window'];
  readonly limits: JointLimits;
}

const NO_LIMITS = 'neither the contract nor a robot description says the limits of its joints';

/** Motion against what the robot is built for. */
export const LIMIT_CHECKS: readonly Check[] = [
  {
    id: 'K01',
    title: 'position beyond its limit',
    claim: 'DEFECT',
    runs: 'live',
    unit: 'samples',
    limits: { fail: 2, validated: true },
    explain: {
      cause: 'An encoder lost its zero, the URDF is another robot’s, or degrees are sent as radians.',
      formula:
        'Samples with q outside of [lower − 0.001, upper + 0.001]; limits of the contract, else of the URDF.',
      remedy:
        'Home the robot; compare the limits with its data sheet; correct "robot.limits.joints" in the contract.',
      example: 'joints: joint4 stands beyond its limit in 212 samples',
      source: 'URDF; Kalanos',
    },
    watch: perRobotStream(isJointState, (_stream, robot) => {
      const beyond = new Map<string, { count: number; window: NonNullable<Judgement['window']> }>();
      let samples = 0;
      let bounded = 0;
      return {
        observe(observation) {
          const joints = jointsOf(observation);
          if (!joints) return;
          samples++;
          bounded = 0;
          joints.names.forEach((name, i) => {
            const { lower, upper } = robot.limits(name);
            if (lower === undefined || upper === undefined) return;
            bounded++;
            const position = joints.positions[i]!;
            if (position >= lower - LIMIT_MARGIN && position <= upper + LIMIT_MARGIN) return;
            const known = beyond.get(name);
            const startTime = known?.window.startTime ?? observation.logTime;
            const window = { startTime, endTime: observation.logTime + 1n };
            beyond.set(name, { count: (known?.count ?? 0) + 1, window });
          });
        },
        *findings(_now, facts): Generator<Judgement> {
          if (bounded === 0) {
            if (facts) yield { status: 'not_assessed', reason: NO_LIMITS };
            return;
          }
          const worst = worstOf(
            [...beyond].map(([channel, { count, window }]) => ({ channel, value: count, window })),
          );
          if (!worst)
            return yield { value: 0, evidence: { samples, bounded }, reason: 'all within their limits' };
          const reason = `${worst.channel} stands beyond its limit in ${worst.value} samples`;
          yield { ...worst, evidence: { ...worst.evidence, samples }, reason };
        },
      };
    }),
  },
  {
    id: 'K02',
    title: 'near a position limit',
    claim: 'RISK',
    runs: 'take',
    unit: 'share',
    limits: { warn: 0.1, fail: 0.25, validated: true },
    explain: {
      cause: 'The task lies at the edge of what the arm reaches, or the operator works in a stretched pose.',
      formula:
        'Share of the time within 5 % of the range of a limit, in runs of 0.2 s and more; not for grippers.',
      remedy: 'Move the task or the robot’s base, so that the arm works in the middle of its range.',
      example: 'joints: joint6 is near its limit for 34 % of the time',
      source: 'deepen-grade; DQAF',
    },
    watch: perRobotStream(isJointState, (_stream, robot) => {
      const near = new Map<string, NearLimit>();
      let hasArm = false;
      return {
        observe(observation) {
          const joints = jointsOf(observation);
          hasArm ||= joints?.names.some((name) => !isGripper(name)) ?? false;
          joints?.names.forEach((name, i) => {
            const { lower, upper } = robot.limits(name);
            if (isGripper(name) || lower === undefined || upper === undefined) return;
            const joint = entryOf(near, name, () => new NearLimit());
            const margin = (upper - lower) * NEAR_SHARE;
            const position = joints.positions[i]!;
            joint.add(observation.logTime, position < lower + margin || position > upper - margin);
          });
        },
        *findings(_now, facts): Generator<Judgement> {
          if (!facts || !hasArm) return;
          const worst = worstOf([...near].map(([channel, joint]) => ({ channel, ...joint.result() })));
          if (!worst) return yield { status: 'not_assessed', reason: NO_LIMITS };
          const reason = `${worst.channel} is near its limit for ${(worst.value * 100).toFixed(0)} % of the time`;
          yield { ...worst, reason };
        },
      };
    }),
  },
  {
    id: 'K03',
    title: 'velocity over its limit',
    claim: 'DEFECT',
    runs: 'live',
    unit: 'share',
    limits: { warn: 0, fail: 0.02, validated: true },
    explain: {
      cause: 'Positions jump, stamps are uneven, or the limits are another robot’s.',
      formula: 'Share of the steps with |Δq| / Δt over the velocity limit of the contract, else of the URDF.',
      remedy: 'Look at K04 and T05 of the stream first; then compare the limits with the robot’s data sheet.',
      example: 'joints: joint2 is faster than 2.2 per second in 3.1 % of its steps',
      source: 'lerobot-lint',
    },
    watch: perRobotStream(isJointState, (_stream, robot) => {
      const fast = new Map<string, FastJoint>();
      let last:
        | { readonly time: bigint; readonly logTime: bigint; readonly positions: Float64Array }
        | undefined;
      let steps = 0;
      return {
        observe(observation) {
          const joints = jointsOf(observation);
          const time = observation.sensorTime ?? observation.logTime;
          const secs = last ? Number(time - last.time) / 1e9 : 0;
          if (!joints || (last && secs <= 0)) return;
          const before = last;
          last = { time, logTime: observation.logTime, positions: joints.positions };
          // Across a gap there is no step, and a burst of late stamps is a matter of T05.
          if (!before || secs > 0.5 || before.positions.length !== joints.positions.length) return;
          steps++;
          joints.names.forEach((name, i) => {
            const limits = robot.limits(name);
            if (limits.velocity === undefined) return;
            const joint = entryOf(fast, name, () => ({ count: 0, window: undefined, limits }));
            if (Math.abs(joints.positions[i]! - before.positions[i]!) / secs <= limits.velocity) return;
            joint.count++;
            const startTime = joint.window?.startTime ?? before.logTime;
            joint.window = { startTime, endTime: observation.logTime + 1n };
          });
        },
        *findings(_now, facts): Generator<Judgement> {
          const worst = worstOf(
            [...fast].map(([channel, { count, window, limits }]) => {
              return {
                channel,
                value: count / steps,
                window,
                evidence: { steps, velocity: limits.velocity! },
              };
            }),
          );
          if (!worst) {
            if (facts) yield { status: 'not_assessed', reason: 'nothing says how fast its joints may be' };
            return;
          }
          const share = `${(worst.value * 100).toFixed(1)} % of its steps`;
          yield {
            ...worst,
            reason: `${worst.channel} is faster than ${worst.evidence.velocity} per second in ${share}`,
          };
        },
      };
    }),
  },
  {
    id: 'K04',
    title: 'encoder wrap or teleport',
    claim: 'DEFECT',
    runs: 'take',
    unit: 'jumps',
    limits: { fail: 0, validated: true },
    explain: {
      cause:
        'An encoder without multi-turn memory wrapped, a servo bus swapped two answers, or a driver restarted.',
      formula:
        'Steps over half of all that the joint moved and 8 times its usual steps (p95), of grippers none of these, or ' +
        'within 2 % of ±2π, ±360 or ±4096.',
      remedy:
        'Unwrap in the driver, or turn the joint’s zero away from where it works; record the take again.',
      example: 'joints: joint7 jumps by −6.281 once',
      source: 'lerobot-lint',
    },
    watch: perRobotStream(isJointState, () => {
      const tracks: StepTrack[] = [];
      let names: readonly string[] = [];
      const blocks = new Blocks({
        minSecs: 0,
        use(block) {
          block.columns.forEach((column, i) => {
            tracks[i] ??= new StepTrack();
            tracks[i].add(column, block.window);
          });
        },
      });
      return {
        observe(observation) {
          const joints = jointsOf(observation);
          if (!joints) return;
          names = joints.names;
          blocks.add(observation, joints.positions);
        },
        *findings(_now, facts): Generator<Judgement> {
          if (!facts) return;
          blocks.flush();
          const worst = worstOf(
            tracks.map((track, i) => {
              const channel = names[i] ?? '';
              return { channel, ...track.result({ mayJump: isGripper(channel) }) };
            }),
          );
          if (!worst) return yield { status: 'not_assessed', reason: 'it holds no positions in a row' };
          const { step } = worst.evidence;
          const reason =
            worst.value === 0 ? 'its positions go on' : `${worst.channel} jumps by ${step} in one step`;
          yield { ...worst, reason };
        },
      };
    }),
  },
];
