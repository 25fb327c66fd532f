import type { Check, Judgement, Watch } from '../check.ts';
import { entryOf } from '../entry-of.ts';
import { perStream } from '../per-stream.ts';
import { Reversals } from '../reversals.ts';
import { medianDeviation, runningMedian, SIGMAS_PER_MAD } from '../robust.ts';
import type { CheckedStream } from '../subject.ts';
import { runs } from './blocks.ts';
import { IMPOSSIBLE_ACCELERATION, isGripper, isJointCommand, isJointState, jointsOf } from './joints.ts';
import { perJoint } from './per-joint.ts';

const JUMP_SIGMAS = 5;
/** Shorter stretches between two gaps tell no jump from motion. */
const SHORTEST_SECS = 0.5;
/** States that a command may be a copy of. */
const LATEST_STATES = 3;
/** Without a declared range: radians or metres. */
const ASSUMED_RANGE = 2;

/** Commands by themselves. */
export const COMMAND_CHECKS: readonly Check[] = [
  {
    id: 'A01',
    title: 'command that is no number',
    claim: 'DEFECT',
    runs: 'live',
    unit: 'messages',
    limits: { fail: 0, validated: true },
    explain: {
      cause: 'Inverse kinematics failed, a policy diverged, or a division by zero went unnoticed.',
      formula: 'Commands that hold NaN or an infinity.',
      remedy: 'Stop sending when the controller has no answer; leave the take out.',
      example: 'commands: 3 commands hold NaN',
      source: 'lerobot-doctor',
    },
    watch: perStream(isJointCommand, () => {
      let [messages, count, channel] = [0, 0, ''];
      let window: Judgement['window'];
      return {
        observe(observation) {
          const joints = jointsOf(observation);
          if (!joints) return;
          messages++;
          const at = joints.positions.findIndex((position) => !Number.isFinite(position));
          if (at < 0) return;
          count++;
          channel ||= joints.names[at]!;
          const { logTime } = observation;
          window = { startTime: window?.startTime ?? logTime, endTime: logTime + 1n };
        },
        *findings(): Generator<Judgement> {
          if (messages === 0) return;
          const place = channel ? { channel, window } : {};
          yield {
            value: count,
            ...place,
            evidence: { messages },
            reason: `${count} commands hold NaN or infinities`,
          };
        },
      };
    }),
  },
  {
    id: 'A02',
    title: 'command at its limit',
    claim: 'RISK',
    runs: 'take',
    unit: 'share',
    limits: { warn: 0.05, fail: 0.3, validated: true },
    explain: {
      cause: 'The operator asks for more than the arm can do, and the command is cut at the limit.',
      formula: 'Share of commands at the lower or upper limit, in runs of 3 and more; not for grippers.',
      remedy: 'Move the task into reach; scale the leader’s motion.',
      example: 'commands: joint4 is told to be at its limit in 31 % of the commands',
      source: 'lerobot-doctor; lerobot-lint',
    },
    watch: perJoint({
      ...{ of: isJointCommand, missing: 'nothing says the limits of its joints' },
      begin: (joint, robot) => {
        const { lower, upper } = robot.limits(joint);
        if (lower === undefined || upper === undefined) return undefined;
        const margin = 1e-4 * (upper - lower);
        let [run, atLimit] = [0, 0];
        return {
          add(position) {
            run = position <= lower + margin || position >= upper - margin ? run + 1 : 0;
            if (run === 3) atLimit += 3;
            else if (run > 3) atLimit++;
          },
          result: ({ messages }) => ({ value: atLimit / messages }),
        };
      },
      say: ({ channel, value }) =>
        `${channel} is told to be at its limit in ${(value * 100).toFixed(0)} % of the commands`,
    }),
  },
  {
    id: 'A03',
    title: 'command jumps',
    claim: 'RISK',
    runs: 'take',
    unit: 'per minute',
    limits: { warn: 1, fail: 10, validated: false },
    explain: {
      cause: 'A leader lost its tracking, a policy’s chunks do not join, or a clutch was let in elsewhere.',
      formula:
        'Steps off those around them by over 5 robust σ and by more than an acceleration of 50 per second² could do; ' +
        'not for grippers.',
      remedy: 'Blend chunks; re-sync the leader before the clutch engages; limit the rate of commands.',
      example: 'commands: joint2 jumps 14 times a minute',
      source: 'lerobot-doctor (5 σ); limits of our own',
    },
    watch: perJoint({
      ...{ of: isJointCommand, stretchSecs: SHORTEST_SECS },
      begin: () => {
        let count = 0;
        let window: Judgement['window'];
        return {
          column(positions, block) {
            const jumps = jumpsOf(positions, block.periodSecs);
            count += jumps.length;
            if (jumps.length > 0) window ??= block.window(jumps[0]!, jumps[0]! + 1);
          },
          result: ({ secs }) => ({ value: count / Math.max(1, secs / 60), window }),
        };
      },
      say: ({ channel, value }) => `${channel} jumps ${value.toFixed(1)} times a minute`,
    }),
  },
  {
    id: 'A07',
    title: 'command is a copy of the state',
    claim: 'DEFECT',
    runs: 'take',
    unit: 'share',
    limits: { warn: 0.5, fail: 0.99, validated: false },
    explain: {
      cause: 'The "command" topic echoes the measured state: what a policy learns of it is to stand still.',
      formula:
        'Share of commands whose every joint equals one of the last three states to the bit, of those after a motion; not for grippers.',
      remedy: 'Record what is sent to the motors; for a follower, the leader’s positions.',
      example: 'commands: 100 % of the commands are the state itself',
      source: 'limits of our own',
    },
    watch: (): Watch => {
      /** The latest first: command and state may pass each other on their ways. */
      const states = new Map<string, readonly number[]>();
      const moved = new Set<string>();
      const counts = new Map<CheckedStream, { copies: number; all: number; isAsked: boolean }>();
      return {
        wants: (stream) => isJointCommand(stream) || isJointState(stream),
        observe(observation) {
          const joints = jointsOf(observation);
          if (!joints) return;
          // As float32: one of the two may have been stored so.
          const values = joints.positions.map(Math.fround);
          if (isJointState(observation.stream)) {
            for (const [i, name] of joints.names.entries()) {
              const known = states.get(name) ?? [];
              if (known[0] !== values[i]) moved.add(name);
              states.set(name, [values[i]!, ...known.slice(0, LATEST_STATES - 1)]);
            }
            return;
          }
          const arm = joints.names.filter((name) => !isGripper(name));
          if (arm.length === 0) return;
          const count = entryOf(counts, observation.stream, () => ({ copies: 0, all: 0, isAsked: false }));
          const known = arm.filter((name) => states.has(name));
          if (known.length > 0) count.isAsked = true;
          if (!known.some((name) => moved.has(name))) return;
          for (const name of known) moved.delete(name);
          count.all++;
          const isCopy = (at: number) =>
            known.every((name) => states.get(name)![at] === values[joints.names.indexOf(name)]);
          if (Array.from({ length: LATEST_STATES }, (_, at) => at).some(isCopy)) count.copies++;
        },
        *findings(_now, facts): Generator<Judgement> {
          if (!facts) return;
          for (const [stream, { copies, all, isAsked }] of counts) {
            if (all === 0) {
              const reason = isAsked ? 'the robot never moved' : 'no state has joints of its names';
              yield { stream, status: 'not_assessed', reason };
              continue;
            }
            const reason = `${((copies / all) * 100).toFixed(0)} % of the commands are the state itself`;
            yield { stream, value: copies / all, evidence: { commands: all }, reason };
          }
        },
      };
    },
  },
  {
    id: 'A09',
    title: 'command chatter',
    claim: 'RISK',
    runs: 'take',
    unit: 'Hz',
    limits: { warn: 5, fail: 10, validated: false },
    explain: {
      cause: 'Noise of a tracker or a policy that is torn between two answers.',
      formula:
        'Most reversals of a joint’s command by over 1 % of its range in any second; not for grippers.',
      remedy: 'Filter the leader’s positions; average the policy’s chunks.',
      example: 'commands: joint6 turns back 17 times in a second',
      source: 'idea of deepen-grade; limits of our own',
    },
    watch: perJoint({
      of: isJointCommand,
      begin: (joint, robot) => {
        const { lower, upper } = robot.limits(joint);
        const range = lower === undefined || upper === undefined ? ASSUMED_RANGE : upper - lower;
        const reversals = new Reversals(() => 0.01 * range);
        return {
          add(position, { logTime }) {
            if (Number.isFinite(position)) reversals.add(position, logTime);
          },
          result: () => ({ value: reversals.most?.count ?? 0, window: reversals.most }),
        };
      },
      say: ({ channel, value }) => `${channel} turns back ${value} times in a second`,
    }),
  },
];

/** Steps that the steps around them do not share; the index of the command before each. */
function jumpsOf(column: Float64Array, periodSecs: number): number[] {
  const steps = Float64Array.from({ length: column.length - 1 }, (_, i) => column[i + 1]! - column[i]!);
  const usual = runningMedian(steps, 5);
  const least = Math.max(
    IMPOSSIBLE_ACCELERATION * periodSecs ** 2,
    JUMP_SIGMAS * SIGMAS_PER_MAD * medianDeviation(steps),
  );
  return runs((i) => Math.abs(steps[i]! - usual[i]!) > least, steps.length).map(([first]) => first);
}
