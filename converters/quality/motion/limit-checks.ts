import type { Check, Judgement } from '../check.ts';
import { isGripper, isJointState } from './joints.ts';
import { NearLimit } from './near-limit.ts';
import { perJoint } from './per-joint.ts';
import { StepTrack } from './step-track.ts';

/** Radians or metres by which a joint may stand beyond its limit: calibration is no better. */
const LIMIT_MARGIN = 1e-3;
/** Share of the range that counts as near its end. */
const NEAR_SHARE = 0.05;

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
    watch: perJoint({
      ...{ of: isJointState, grippers: true, switches: true, live: true },
      ...{ missing: NO_LIMITS, well: 'all within their limits' },
      begin: (joint, robot) => {
        const { lower, upper } = robot.limits(joint);
        if (lower === undefined || upper === undefined) return undefined;
        let count = 0;
        let window: Judgement['window'];
        return {
          add(position, { logTime }) {
            if (position >= lower - LIMIT_MARGIN && position <= upper + LIMIT_MARGIN) return;
            count++;
            window = { startTime: window?.startTime ?? logTime, endTime: logTime + 1n };
          },
          result: ({ messages }) => ({ value: count, window, evidence: { samples: messages } }),
        };
      },
      say: ({ channel, value }) => `${channel} stands beyond its limit in ${value} samples`,
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
    watch: perJoint({
      ...{ of: isJointState, missing: NO_LIMITS },
      begin: (joint, robot) => {
        const { lower, upper } = robot.limits(joint);
        if (lower === undefined || upper === undefined) return undefined;
        const margin = (upper - lower) * NEAR_SHARE;
        const near = new NearLimit();
        return {
          add: (position, { logTime }) =>
            near.add(logTime, position < lower + margin || position > upper - margin),
          result: () => near.result(),
        };
      },
      say: ({ channel, value }) =>
        `${channel} is near its limit for ${(value * 100).toFixed(0)} % of the time`,
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
    watch: perJoint({
      ...{ of: isJointState, grippers: true, live: true },
      missing: 'nothing says how fast its joints may be',
      begin: (joint, robot) => {
        const { velocity } = robot.limits(joint);
        if (velocity === undefined) return undefined;
        let last: { readonly time: bigint; readonly logTime: bigint; readonly position: number } | undefined;
        let [steps, count] = [0, 0];
        let window: Judgement['window'];
        return {
          add(position, { logTime, sensorTime: time = logTime }) {
            const before = last;
            const secs = before ? Number(time - before.time) / 1e9 : 0;
            if (before && secs <= 0) return;
            last = { time, logTime, position };
            // Across a gap there is no step, and a burst of late stamps is a matter of T05.
            if (!before || secs > 0.5) return;
            steps++;
            if (Math.abs(position - before.position) / secs <= velocity) return;
            count++;
            window = { startTime: window?.startTime ?? before.logTime, endTime: logTime + 1n };
          },
          result: () => ({ value: count / Math.max(1, steps), window, evidence: { steps, velocity } }),
        };
      },
      say: ({ channel, value, evidence }) =>
        `${channel} is faster than ${evidence?.velocity} per second in ${(value * 100).toFixed(1)} % of its steps`,
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
        'Steps over half of all that the joint moved and 8 times its usual steps (p95), of grippers and of switches with ' +
        'two positions none of these, or within 2 % of ±2π, ±360 or ±4096.',
      remedy:
        'Unwrap in the driver, or turn the joint’s zero away from where it works; record the take again.',
      example: 'joints: joint7 jumps by −6.281 once',
      source: 'lerobot-lint',
    },
    watch: perJoint({
      ...{ of: isJointState, grippers: true, switches: true, stretchSecs: 0 },
      missing: 'it holds no positions in a row',
      begin: (joint) => {
        const track = new StepTrack();
        return {
          column: (positions, { window }) => track.add(positions, window),
          result: ({ isSwitch }) => track.result({ mayJump: isSwitch || isGripper(joint) }),
        };
      },
      say: ({ channel, value, evidence }) =>
        value === 0 ? 'its positions go on' : `${channel} jumps by ${evidence?.step} in one step`,
    }),
  },
];
