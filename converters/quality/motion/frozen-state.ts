import type { Check, Judgement, Watch } from '../check.ts';
import { entryOf } from '../entry-of.ts';
import type { CheckedStream } from '../subject.ts';
import { isJointCommand, isJointState, jointsOf } from './joints.ts';

/** What counts as a command that moves, radians or metres. */
const COMMAND_MOVES = 0.005;

/** States that stand still while they are told to move. */
export const FROZEN_STATE: Check = {
  id: 'K06',
  title: 'frozen state',
  claim: 'DEFECT',
  runs: 'live',
  unit: 's',
  limits: { warn: 0.3, fail: 0.5, validated: true },
  explain: {
    cause: 'The driver repeats its last state under new stamps while its bus is down.',
    formula: 'Longest time over which all joints are identical to the last bit while a command moves on.',
    remedy: 'Look at the driver’s log and the servo bus at that time; leave the take out.',
    example: 'joints: identical for 2.23 s while commands moved',
    source: 'lerobot-lint, which found 67 such frames in a public SO-101 set',
  },
  watch: (): Watch => {
    const states = new Map<CheckedStream, FreezeWatch>();
    const commanded = new Map<string, number>();
    return {
      wants: (stream) => isJointState(stream) || isJointCommand(stream),
      observe(observation) {
        const joints = jointsOf(observation);
        if (!joints) return;
        if (isJointCommand(observation.stream)) {
          for (const [i, name] of joints.names.entries()) commanded.set(name, joints.positions[i]!);
          for (const state of states.values()) state.command(commanded, observation.logTime);
          return;
        }
        const state = entryOf(states, observation.stream, () => new FreezeWatch());
        state.observe(joints, observation.logTime, commanded);
      },
      *findings(_now, facts): Generator<Judgement> {
        for (const [stream, { longest, hasCommand }] of states) {
          if (!hasCommand) {
            if (facts) yield { stream, status: 'not_assessed', reason: 'no stream commands its joints' };
            continue;
          }
          const value = longest ? Number(longest.endTime - longest.startTime) / 1e9 : 0;
          const reason =
            value > 0 ? `identical for ${value.toFixed(2)} s while commands moved` : 'it follows';
          yield { stream, value, window: longest, reason };
        }
      },
    };
  },
};

/** A stream of states and how long it stood still while it was told to move. */
class FreezeWatch {
  longest: { readonly startTime: bigint; readonly endTime: bigint } | undefined;
  hasCommand = false;
  #last: Float64Array | undefined;
  #names: readonly string[] = [];
  /** Commands when the state began to stand still. */
  #atStop = new Map<string, number>();
  #movesFrom: bigint | undefined;

  observe(
    joints: { names: readonly string[]; positions: Float64Array },
    time: bigint,
    commanded: ReadonlyMap<string, number>,
  ): void {
    const isSame = this.#last?.every((value, i) => Object.is(value, joints.positions[i])) ?? false;
    [this.#last, this.#names] = [joints.positions, joints.names];
    if (!isSame) {
      this.#movesFrom = undefined;
      this.#atStop = new Map(commanded);
    } else if (this.#movesFrom !== undefined) {
      const known = this.longest ? this.longest.endTime - this.longest.startTime : 0n;
      if (time - this.#movesFrom > known) this.longest = { startTime: this.#movesFrom, endTime: time };
    }
  }

  command(commanded: ReadonlyMap<string, number>, time: bigint): void {
    for (const name of this.#names) {
      const now = commanded.get(name);
      if (now === undefined) continue;
      this.hasCommand = true;
      const before = this.#atStop.get(name);
      if (before === undefined) this.#atStop.set(name, now);
      else if (Math.abs(now - before) > COMMAND_MOVES) this.#movesFrom ??= time;
    }
  }
}
