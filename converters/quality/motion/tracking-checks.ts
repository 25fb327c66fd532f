import type { Check, Judgement, Watch } from '../check.ts';
import { entryOf } from '../entry-of.ts';
import { QuantileSketch } from '../quantile-sketch.ts';
import type { CheckedStream, Subject } from '../subject.ts';
import { actionSpaceOf, isJointCommand, isJointState } from './joints.ts';
import { LagSums } from './lag.ts';
import { PAIR_RATE_HZ, type Pair, PairedJoints } from './pairs.ts';
import { type ChannelValue, worstOf } from './worst.ts';

/** Below, the peak of the correlation says nothing. */
const LEAST_AGREEMENT = 0.5;
/** The state may not lead its command by more than what two clocks of receipt are off. */
const LEAD_SECS = 0.02;
/** Joints whose deviation is less tell nothing of how they follow. */
const LEAST_DEVIATION = 0.01;

interface Tracking {
  add(pair: Pair): void;
  judgement(stream: CheckedStream): Judgement | undefined;
}

/** States against the commands that they follow. */
export const TRACKING_CHECKS: readonly Check[] = [
  {
    id: 'A04',
    title: 'tracking error',
    claim: 'RISK',
    runs: 'take',
    unit: 'rad',
    limits: { warn: 0.035, fail: 0.122, validated: true },
    explain: {
      cause: 'Gains too low, a heavy load, a limit of speed or torque, a collision, or units that differ.',
      formula: 'p95 of |a(t) − q(t + d)| with d, the lag of A05; for absolute positions.',
      remedy: 'Slow down, raise gains, look whether something blocks the arm; compare units.',
      example: 'commands: joint2 is off by 0.151 rad (p95)',
      source: 'score_lerobot_episodes (7°); Kalanos (2°)',
    },
    watch: ofPairs(['abs_pos'], () => {
      const errors = new Map<
        string,
        { sketch: QuantileSketch; worst: number; window: Judgement['window'] }
      >();
      return {
        add(pair) {
          const lag = lagOf(pair);
          if (lag === undefined) return;
          pair.names.forEach((name, j) => {
            const joint = entryOf(errors, name, () => {
              return { sketch: new QuantileSketch(), worst: 0, window: undefined };
            });
            const [command, state] = [pair.commands[j]!, pair.states[j]!];
            for (let i = Math.max(0, -lag); i < command.length - Math.max(0, lag); i++) {
              const error = Math.abs(command[i]! - state[i + lag]!);
              joint.sketch.add(error);
              if (error > joint.worst) [joint.worst, joint.window] = [error, pair.window(i, i + 1)];
            }
          });
        },
        judgement() {
          const values = [...errors].map(([channel, { sketch, worst, window }]): ChannelValue => {
            return {
              channel,
              value: sketch.quantile(0.95)!,
              window,
              evidence: { max: Number(worst.toPrecision(3)) },
            };
          });
          const worst = worstOf(values);
          return (
            worst && { ...worst, reason: `${worst.channel} is off by ${worst.value.toFixed(3)} rad (p95)` }
          );
        },
      };
    }),
  },
  {
    id: 'A05',
    title: 'command to state lag',
    claim: 'RISK',
    runs: 'take',
    unit: 's',
    limits: { warn: 0.3, fail: 0.45, validated: false },
    explain: {
      cause:
        'A slow bus, filters, or commands and states stamped on clocks that differ. A state that leads its command is no answer to it.',
      formula:
        'The lag from −0.2 to 0.5 s at which the speeds of command and state correlate best. With a calibration ±50 ms ' +
        'of its lag is allowed; a lead of over 20 ms is a defect.',
      remedy: 'Look at T09 to T11 of both streams; tell the converter which clock to use.',
      example: 'commands: the state follows after 180 ms, at calibration it was 60 ms',
      source: 'limits of our own',
    },
    watch: ofPairs(['abs_pos', 'delta_pos', 'vel'], (subject) => {
      const sums = new LagSums();
      return {
        add: (pair) => addLags(sums, pair),
        judgement(stream) {
          const best = sums.best();
          if (!best) return undefined;
          const evidence = { agreement: Number(best.agreement.toFixed(3)) };
          if (best.agreement < LEAST_AGREEMENT) {
            return {
              status: 'not_assessed',
              evidence,
              reason: 'commands and states have too little in common',
            };
          }
          const secs = best.lag / PAIR_RATE_HZ;
          const milliseconds = `${Math.abs(secs * 1000).toFixed(0)} ms`;
          if (secs < -LEAD_SECS) {
            const reason = `the state leads its command by ${milliseconds}`;
            return { claim: 'DEFECT', status: 'fail', value: secs, evidence, reason };
          }
          const usual = subject.calibration?.commandLagSecs[stream.name];
          if (usual === undefined) {
            return { value: Math.max(0, secs), evidence, reason: `the state follows after ${milliseconds}` };
          }
          const reason = `the state follows after ${milliseconds}, at calibration it was ${(usual * 1000).toFixed(0)} ms`;
          const limits = { warn: usual + 0.05, fail: usual + 0.15, origin: 'calibration' as const };
          return { value: secs, limits, evidence, reason };
        },
      };
    }),
  },
  {
    id: 'A06',
    title: 'tracking correlation',
    claim: 'RISK',
    runs: 'take',
    unit: '',
    limits: { warn: 0.8, bad: 'below', validated: true },
    explain: {
      cause:
        'Joints in another order in command and state, a sign turned round, or a joint that does not follow.',
      formula: 'corr(a(t), q(t + d)) per joint that moves, d of A05; the smallest.',
      remedy: 'Compare the names of both messages; look at A04 for the joint.',
      example: 'commands: joint3 follows its command with a correlation of −0.99',
      source: 'lerobot-lint (0.8)',
    },
    watch: ofPairs(['abs_pos'], () => {
      const sums = new Map<string, { product: number; commands: number; states: number; count: number }>();
      return {
        add(pair) {
          const lag = Math.max(0, lagOf(pair) ?? 0);
          pair.names.forEach((name, j) => {
            const joint = entryOf(sums, name, () => ({ product: 0, commands: 0, states: 0, count: 0 }));
            const command = centred(pair.commands[j]!.subarray(0, pair.commands[j]!.length - lag));
            const state = centred(pair.states[j]!.subarray(lag));
            for (let i = 0; i < command.length; i++) {
              joint.product += command[i]! * state[i]!;
              joint.commands += command[i]! ** 2;
              joint.states += state[i]! ** 2;
            }
            joint.count += command.length;
          });
        },
        judgement() {
          const values = [...sums].flatMap(
            ([channel, { product, commands, states, count }]): ChannelValue[] => {
              if (Math.sqrt(commands / count) < LEAST_DEVIATION) return [];
              return [{ channel, value: states === 0 ? 0 : product / Math.sqrt(commands * states) }];
            },
          );
          const worst = worstOf(values, 'below');
          if (!worst) return undefined;
          const reason = `${worst.channel} follows its command with a correlation of ${worst.value.toFixed(2)}`;
          return { ...worst, reason };
        },
      };
    }),
  },
  {
    id: 'A08',
    title: 'command outside of the state’s range',
    claim: 'CHARACTERISTIC',
    runs: 'take',
    unit: 'share',
    explain: {
      cause: 'Absolute positions are really differences or velocities, or units differ.',
      formula:
        'Share of commands outside of what the state ever reached; over a half is told. For absolute positions.',
      remedy: 'Correct "actionSpace" or "sourceUnit" in the contract.',
      example: 'commands: 93 % of the commands for joint1 are nowhere its state has been',
      source: 'lerobot-lint',
    },
    watch: ofPairs(['abs_pos'], () => {
      const ranges = new Map<
        string,
        { min: number; max: number; commands: number[]; step: number; seen: number }
      >();
      return {
        add(pair) {
          pair.names.forEach((name, j) => {
            const joint = entryOf(ranges, name, () => {
              const none = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };
              return { ...none, commands: [], step: 10, seen: 0 };
            });
            for (const state of pair.states[j]!) {
              joint.min = Math.min(joint.min, state);
              joint.max = Math.max(joint.max, state);
            }
            for (const command of pair.commands[j]!)
              if (joint.seen++ % joint.step === 0) joint.commands.push(command);
            if (joint.commands.length < 8192) return;
            joint.commands = joint.commands.filter((_, i) => i % 2 === 0);
            joint.step *= 2;
          });
        },
        judgement() {
          const values = [...ranges].map(([channel, { min, max, commands }]): ChannelValue => {
            const outside = commands.filter((command) => command < min || command > max).length;
            return { channel, value: outside / commands.length };
          });
          const worst = worstOf(values);
          if (!worst) return undefined;
          const share = `${(worst.value * 100).toFixed(0)} %`;
          const reason = `${share} of the commands for ${worst.channel} are nowhere its state has been`;
          return { ...worst, status: worst.value > 0.5 ? 'info' : 'pass', reason };
        },
      };
    }),
  },
];

/** A check of commands with the states that answer them, where the contract says what the commands mean. */
function ofPairs(
  spaces: readonly NonNullable<ReturnType<typeof actionSpaceOf>>[],
  begin: (subject: Subject) => Tracking,
): Check['watch'] {
  return (subject): Watch => {
    const trackings = new Map<CheckedStream, Tracking>();
    const seen = new Set<CheckedStream>();
    const pairs = new PairedJoints((pair) =>
      entryOf(trackings, pair.command, () => begin(subject)).add(pair),
    );
    return {
      wants: (stream) => isJointCommand(stream) || isJointState(stream),
      observe(observation) {
        if (isJointCommand(observation.stream)) seen.add(observation.stream);
        pairs.observe(observation);
      },
      *findings(_now, facts): Generator<Judgement> {
        if (!facts) return;
        pairs.flush();
        for (const stream of seen) {
          const space = actionSpaceOf(stream, subject.contract);
          if (!space || !spaces.includes(space)) {
            const reason = space
              ? `"${space}" has nothing to compare with`
              : 'no feature of the contract says its "actionSpace"';
            yield { stream, status: 'not_assessed', reason };
            continue;
          }
          const judgement = trackings.get(stream)?.judgement(stream);
          yield judgement
            ? { stream, ...judgement }
            : { stream, status: 'not_assessed', reason: 'no state that moves has joints of its names' };
        }
      },
    };
  };
}

function addLags(sums: LagSums, { commands, states }: Pair): void {
  for (const [j, command] of commands.entries()) sums.add(command, states[j]!);
}

/** Whole samples by which the states of a stretch follow; undefined where nothing moves. */
function lagOf(pair: Pair): number | undefined {
  const sums = new LagSums();
  addLags(sums, pair);
  const best = sums.best();
  return best && best.agreement >= LEAST_AGREEMENT ? Math.round(best.lag) : undefined;
}

function centred(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value - mean);
}
