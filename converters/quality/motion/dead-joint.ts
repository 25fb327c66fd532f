import type { Check, Judgement, Watch } from '../check.ts';
import { entryOf } from '../entry-of.ts';
import type { CheckedStream } from '../subject.ts';
import { isGripper, isJointCommand, isJointState, jointsOf } from './joints.ts';

/** A joint that does not move among others that do. */
export const DEAD_JOINT: Check = {
  id: 'K07',
  title: 'dead joint',
  claim: 'DEFECT',
  runs: 'take',
  unit: 'ratio',
  limits: { fail: 0.01, bad: 'below', validated: true },
  explain: {
    cause: 'An encoder is dead, a servo has no torque, or the joint is not used in this task.',
    formula:
      'Deviation of the joint over that of the liveliest joint. A defect where its command moved; where nothing ' +
      'commands it, it can only be asked about. Not for grippers.',
    remedy: 'Move the joint by hand and watch its position; look at cable and torque.',
    example: 'joints: joint5 does not move although it is commanded',
    source: 'lerobot-lint; Kalanos',
  },
  watch: (): Watch => {
    const spreads = new Map<CheckedStream, Map<string, Spread>>();
    return {
      wants: (stream) => isJointState(stream) || isJointCommand(stream),
      observe(observation) {
        const joints = entryOf(spreads, observation.stream, () => new Map<string, Spread>());
        const sample = jointsOf(observation);
        sample?.names.forEach((name, i) => {
          const position = sample.positions[i]!;
          if (Number.isFinite(position)) entryOf(joints, name, () => new Spread()).add(position);
        });
      },
      *findings(_now, facts): Generator<Judgement> {
        if (!facts) return;
        const commands = new Map(
          [...spreads].flatMap(([stream, joints]) => (isJointCommand(stream) ? [...joints] : [])),
        );
        for (const [stream, joints] of spreads)
          if (isJointState(stream)) yield* deadJoints(stream, joints, commands);
      },
    };
  },
};

/** Mean, deviation and range, updated value by value (Welford 1962). */
class Spread {
  #count = 0;
  #mean = 0;
  #squares = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  add(value: number): void {
    this.#count++;
    const off = value - this.#mean;
    this.#mean += off / this.#count;
    this.#squares += off * (value - this.#mean);
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
  }

  get deviation(): number {
    return this.#count > 1 ? Math.sqrt(this.#squares / this.#count) : 0;
  }

  get range(): number {
    return this.#count > 0 ? this.#max - this.#min : 0;
  }
}

/** Range over which a command must have moved before its joint should have followed. */
const COMMANDED_RANGE = 0.05;
/** Below, the arm as a whole stood still. */
const LEAST_DEVIATION = 0.01;

function* deadJoints(
  stream: CheckedStream,
  joints: ReadonlyMap<string, Spread>,
  commands: ReadonlyMap<string, Spread>,
): Generator<Judgement> {
  const arm = [...joints].filter(([name]) => !isGripper(name));
  if (arm.length === 0) return;
  const most = Math.max(...arm.map(([, { deviation }]) => deviation));
  if (most < LEAST_DEVIATION) return yield { stream, status: 'not_assessed', reason: 'the arm did not move' };
  const idle = arm.filter(([, { deviation }]) => deviation < 0.01 * most);
  const value = Math.min(...arm.map(([, { deviation }]) => deviation)) / most;
  const dead = idle.find(([name]) => (commands.get(name)?.range ?? 0) > COMMANDED_RANGE);
  const unasked = idle.find(([name]) => !commands.has(name));
  if (dead) {
    const [channel, { deviation }] = dead;
    const reason = `${channel} does not move although it is commanded`;
    yield {
      stream,
      channel,
      value: deviation / most,
      evidence: { range: commands.get(channel)!.range },
      reason,
    };
  } else if (unasked) {
    const [channel, { deviation }] = unasked;
    const reason = `${channel} does not move, and nothing commands it: unused or dead`;
    yield { stream, channel, claim: 'RISK', status: 'warn', value: deviation / most, reason };
  } else yield { stream, status: 'pass', value, reason: 'every joint that was told to move has moved' };
}
