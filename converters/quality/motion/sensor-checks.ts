import type { Check, Judgement } from '../check.ts';
import { perStream } from '../per-stream.ts';
import { medianDeviation, SIGMAS_PER_MAD } from '../robust.ts';
import { type Block, Blocks } from './blocks.ts';
import { DEAD_JOINT } from './dead-joint.ts';
import { FROZEN_STATE } from './frozen-state.ts';
import { IMPOSSIBLE_ACCELERATION, isGripper, isJointState, jointsOf } from './joints.ts';
import { perJoint } from './per-joint.ts';
import { worstOf } from './worst.ts';

const SPIKE_SIGMAS = 6;
/** Shorter stretches between two gaps tell no spike from motion. */
const SHORTEST_SECS = 0.5;
/** Velocities below tell nothing of their agreement, per second. */
const LEAST_SPEED = 0.02;

/** Whether what the joints report can be true. */
export const SENSOR_CHECKS: readonly Check[] = [
  {
    id: 'K05',
    title: 'spikes',
    claim: 'RISK',
    runs: 'take',
    unit: 'share',
    limits: { warn: 0.001, fail: 0.02, validated: true },
    explain: {
      cause: 'Bit errors on a servo bus, a loose encoder cable, electric noise.',
      formula:
        'Share of samples off the middle of their neighbours by over 6 robust σ of one second and by more than an ' +
        'acceleration of 50 per second² could do; not for grippers.',
      remedy: 'Look at cable and shield of that joint; switch the bus’s checksums on.',
      example: 'joints: 0.4 % of the samples of joint3 are spikes',
      source: 'Kalanos',
    },
    watch: perJoint({
      ...{ of: isJointState, stretchSecs: SHORTEST_SECS },
      begin: () => {
        let count = 0;
        let window: Judgement['window'];
        return {
          column(positions, block) {
            const found = spikesOf(positions, block);
            count += found.length;
            if (found.length > 0) window ??= block.window(found[0]!, found[0]!);
          },
          result: ({ samples }) => ({ value: count / samples, window, evidence: { samples } }),
        };
      },
      say: ({ channel, value }) => `${(value * 100).toFixed(2)} % of the samples of ${channel} are spikes`,
    }),
  },
  FROZEN_STATE,
  DEAD_JOINT,
  {
    id: 'K12',
    title: 'velocity against position',
    claim: 'RISK',
    runs: 'take',
    unit: 'ratio',
    limits: { warn: 0.2, fail: 0.5, validated: false },
    explain: {
      cause: 'Velocities are in other units, filtered late, of another joint’s order, or not filled in.',
      formula: 'RMS(q̇ − Δq/Δt) / RMS(q̇) of joints that move; not for grippers.',
      remedy: 'Compare the units in the driver; leave velocities out of the features until they agree.',
      example: 'joints: velocity of joint2 disagrees with its position by 0.98',
      source: 'limits of our own',
    },
    watch: perStream(isJointState, () => {
      const sums: { off: number; all: number; count: number }[] = [];
      let names: readonly string[] = [];
      let hasVelocities = false;
      const blocks = new Blocks({
        use({ columns, secs }) {
          const count = columns.length / 2;
          for (let j = 0; j < count; j++) {
            const [position, velocity] = [columns[j]!, columns[j + count]!];
            sums[j] ??= { off: 0, all: 0, count: 0 };
            const sum = sums[j]!;
            for (let i = 1; i < secs.length - 1; i++) {
              const slope = (position[i + 1]! - position[i - 1]!) / (secs[i + 1]! - secs[i - 1]!);
              sum.off += (velocity[i]! - slope) ** 2;
              sum.all += velocity[i]! ** 2;
              sum.count++;
            }
          }
        },
      });
      return {
        observe(observation) {
          const joints = jointsOf(observation);
          if (!joints || joints.velocities.length === 0) return;
          hasVelocities = true;
          names = joints.names;
          blocks.add(observation, Float64Array.of(...joints.positions, ...joints.velocities));
        },
        *findings(_now, facts): Generator<Judgement> {
          if (!facts) return;
          if (names.every(isGripper) && hasVelocities) return;
          if (!hasVelocities) return yield { status: 'not_assessed', reason: 'it holds no velocities' };
          blocks.flush();
          const moving = sums.flatMap(({ off, all, count }, i) => {
            const isMoving = Math.sqrt(all / count) > LEAST_SPEED && !isGripper(names[i]!);
            return isMoving ? { channel: names[i], value: Math.sqrt(off / all) } : [];
          });
          const worst = worstOf(moving);
          if (!worst) return yield { status: 'not_assessed', reason: 'none of its joints moves' };
          const reason = `velocity of ${worst.channel} disagrees with its position by ${worst.value.toFixed(2)}`;
          yield { ...worst, reason };
        },
      };
    }),
  },
];

/** Samples that stand alone: the middle one of three that do not belong together. */
function spikesOf(column: Float64Array, { periodSecs }: Block): number[] {
  const off = Float64Array.from(column, (value, i) => {
    return i === 0 || i === column.length - 1 ? 0 : value - (column[i - 1]! + column[i + 1]!) / 2;
  });
  const floor = (IMPOSSIBLE_ACCELERATION * periodSecs ** 2) / 2;
  const perSec = Math.max(8, Math.round(1 / periodSecs));
  const found: number[] = [];
  for (let from = 0; from < off.length; from += perSec) {
    const chunk = off.subarray(from, from + perSec);
    if (!chunk.some((value) => Math.abs(value) > floor)) continue;
    const limit = Math.max(floor, SPIKE_SIGMAS * SIGMAS_PER_MAD * medianDeviation(chunk));
    chunk.forEach((value, at) => {
      const i = from + at;
      const isPeak =
        Math.abs(value) >= Math.abs(off[i - 1] ?? 0) && Math.abs(value) > Math.abs(off[i + 1] ?? 0);
      if (Math.abs(value) > limit && isPeak) found.push(i);
    });
  }
  return found;
}
