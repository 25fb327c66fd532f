import type { Check, Judgement } from '../check.ts';
import { perStream } from '../per-stream.ts';
import { median } from '../robust.ts';
import { ArmBlocks, LEAST_PEAK } from './arm-blocks.ts';
import { type Block, evenly, runs } from './blocks.ts';
import { isJointState } from './joints.ts';
import { ldlj, lowPass, sparc } from './smoothness.ts';
import { STALL } from './stall-check.ts';
import { TREMOR } from './tremor-check.ts';

/** A movement: faster than this share of the block's peak, for this long. */
const ACTIVE_SHARE = 0.05;
const LEAST_MOVEMENT_SECS = 0.5;
const MOST_MOVEMENTS = 4096;

/** One movement of the arm, evenly sampled. */
interface Movement {
  /** Norm of the joint velocities. */
  readonly speed: Float64Array;
  readonly rateHz: number;
  /** Length of its way over the way itself, in joint space. */
  readonly efficiency: number;
}

const REPORTED = 'report only: no single limit fits all tasks, so that it is compared within a task';

/** Judged among other episodes of the task, by `smoothnessInTask`. */
export const SMOOTHNESS = ofMovements({
  id: 'K08',
  title: 'smoothness (SPARC) within the task',
  claim: 'RISK',
  runs: 'library',
  unit: 'z',
  limits: { fail: -2.5, bad: 'below', validated: true },
  measure: ({ speed, rateHz }) => sparc(speed, rateHz),
  judge: (value, movements) => ({
    status: 'not_assessed',
    evidence: { sparc: value, movements },
    reason: `spectral arc length ${value.toFixed(2)}: only other episodes of the task tell whether that is much`,
  }),
  explain: {
    cause: 'Hesitation, corrections, tremor or a stuttering control loop break a movement into many.',
    formula:
      'Spectral arc length of joint speed per movement, up to 10 Hz, amplitudes over 0.05; of its median, the robust z ' +
      'among 8 or more other episodes of the task. No single arc length fits all tasks.',
    remedy:
      'Compare with other takes of the task; let the operator practise; look at the control loop (T16).',
    example: 'joints: spectral arc length −5.10, 3.4 standard deviations below 31 others of the task',
    source: 'Balasubramanian 2015; RINSE',
  },
});

/** How the arm moves, not whether that is right: operators differ. */
export const SMOOTHNESS_CHECKS: readonly Check[] = [
  SMOOTHNESS,
  ofMovements({
    id: 'K09',
    title: 'dimensionless jerk (LDLJ)',
    claim: 'CHARACTERISTIC',
    unit: '',
    measure: ({ speed, rateHz }) => ldlj(lowPass(speed, rateHz, Math.min(6, 0.2 * rateHz)), rateHz),
    judge: described(
      (value, count) => `log dimensionless jerk ${value.toFixed(1)}, median of ${count} movements`,
    ),
    explain: {
      cause: 'As for K08; besides, it grows with duration and with noise.',
      formula: '−ln(T³ / v² · Σ v̈² Δt) per movement after a 6 Hz low pass without delay; the median.',
      remedy: 'None: it describes. Compare only takes of one rate and one task.',
      example: 'joints: log dimensionless jerk −9.8, median of 12 movements',
      source: `Balasubramanian 2015; ${REPORTED}`,
    },
  }),
  TREMOR,
  STALL,
  ofMovements({
    id: 'K15',
    title: 'path efficiency',
    claim: 'CHARACTERISTIC',
    unit: 'ratio',
    measure: ({ efficiency }) => efficiency,
    judge: described(
      (value, count) => `${value.toFixed(2)} of the way is straight, median of ${count} movements`,
    ),
    explain: {
      cause: 'Detours around obstacles, corrections, search.',
      formula: '‖q(T) − q(0)‖ / Σ ‖Δq‖ per movement, in joint space; the median.',
      remedy: 'None: it describes. Compare takes of one task.',
      example: 'joints: 0.71 of the way is straight, median of 12 movements',
      source: `score_lerobot_episodes; ${REPORTED}`,
    },
  }),
];

interface MovementMeasure extends Omit<Check, 'runs' | 'watch'>, Partial<Pick<Check, 'runs'>> {
  readonly measure: (movement: Movement) => number;
  /** Of the median of so many movements. */
  readonly judge: (value: number, movements: number) => Judgement;
}

/** A check of one number per movement. */
function ofMovements({ measure, judge, ...record }: MovementMeasure): Check {
  return {
    runs: 'take',
    ...record,
    watch: perStream(isJointState, () => {
      const values: number[] = [];
      const blocks = new ArmBlocks((block) => {
        for (const movement of movementsOf(block)) {
          if (values.length < MOST_MOVEMENTS) values.push(measure(movement));
        }
      });
      return {
        observe: (observation) => blocks.add(observation),
        *findings(_now, facts): Generator<Judgement> {
          if (!facts || !blocks.hasArm) return;
          blocks.flush();
          if (values.length === 0) return yield { status: 'not_assessed', reason: 'the arm did not move' };
          yield judge(median(values), values.length);
        },
      };
    }),
  };
}

/** Only says how it is. */
function described(say: (value: number, movements: number) => string): MovementMeasure['judge'] {
  return (value, movements) => ({
    status: 'info',
    value,
    evidence: { movements },
    reason: say(value, movements),
  });
}

function* movementsOf({ columns, secs, periodSecs }: Block): Generator<Movement> {
  const even = columns.map((column) => evenly(secs, column, periodSecs));
  const length = even[0]!.length;
  const speed = Float64Array.from({ length: length - 1 }, (_, i) => {
    return Math.hypot(...even.map((column) => column[i + 1]! - column[i]!)) / periodSecs;
  });
  const peak = Math.max(...speed);
  if (peak < LEAST_PEAK) return;
  const least = Math.ceil(LEAST_MOVEMENT_SECS / periodSecs);
  for (const [first, last] of runs((i) => speed[i]! > ACTIVE_SHARE * peak, speed.length, least)) {
    const part = speed.slice(first, last + 1);
    const straight = Math.hypot(...even.map((column) => column[last + 1]! - column[first]!));
    const way = part.reduce((sum, value) => sum + value, 0) * periodSecs;
    yield { speed: part, rateHz: 1 / periodSecs, efficiency: way > 0 ? straight / way : 1 };
  }
}
