import type { Check, Judgement, Watch } from '../check.ts';
import { entryOf } from '../entry-of.ts';
import { Contacts } from '../interaction/contact.ts';
import { isWrench } from '../interaction/wrench.ts';
import type { Observation } from '../observation.ts';
import type { CheckedStream } from '../subject.ts';
import { isGripper, isJointState, type Joints, jointsOf } from './joints.ts';

/** Joints slower than this stand still, per second: half a percent of a range of 2 rad. */
const STILL_SPEED = 0.01;
/** Speeds are those over this long. */
const STEP_NANOS = 100_000_000n;

/** Whether the robot stops in the middle of its task, with nothing at hand. */
export const STALL: Check = {
  id: 'K11',
  title: 'stall',
  claim: 'RISK',
  runs: 'take',
  unit: 's',
  limits: { warn: 2, fail: 5, validated: false },
  explain: {
    cause: 'The operator thinks, waits for someone, or the robot stopped by itself.',
    formula:
      'Longest time between two movements in which no joint of the stream is faster than 0.01 rad/s, no force sensor ' +
      'feels contact and no gripper moves: an arm that holds still while it presses or grasps is at work.',
    remedy: 'Cut waiting out by a keep range; look at diagnostics for a protective stop.',
    example: 'joints: stands still for 6.2 s in the middle of the task',
    source: 'DQAF; deepen-grade; limits of our own',
  },
  watch: (subject): Watch => {
    const contacts = new Contacts(subject);
    const arms = new Map<CheckedStream, Standstill>();
    // Whatever else the robot does at an instant counts for all of its arms.
    const work = { lastTime: 0n };
    return {
      wants: (stream) => isJointState(stream) || isWrench(stream),
      observe(observation) {
        const { stream, logTime } = observation;
        if (isWrench(stream)) {
          if (contacts.observe(observation)) work.lastTime = logTime;
        } else entryOf(arms, stream, () => new Standstill(work)).observe(observation);
      },
      *findings(_now, facts): Generator<Judgement> {
        if (!facts) return;
        for (const [stream, { hasArm, hasMoved, longest }] of arms) {
          if (!hasArm) continue;
          if (!hasMoved) {
            yield { stream, status: 'not_assessed', reason: 'nothing moved' };
            continue;
          }
          const value = longest ? Number(longest.endTime - longest.startTime) / 1e9 : 0;
          const reason = `stands still for ${value.toFixed(1)} s in the middle of the task`;
          yield { stream, value, window: longest, reason };
        }
      },
    };
  },
};

/** The longest time for which the joints of one stream stand still between two movements. */
class Standstill {
  hasArm = false;
  hasMoved = false;
  longest: { readonly startTime: bigint; readonly endTime: bigint } | undefined;
  readonly #work: { lastTime: bigint };
  #last: { readonly time: bigint; readonly positions: Float64Array } | undefined;
  #stillFrom: bigint | undefined;

  constructor(work: { lastTime: bigint }) {
    this.#work = work;
  }

  observe(observation: Observation): void {
    const [joints, time] = [jointsOf(observation), observation.logTime];
    if (!joints || (this.#last && time - this.#last.time < STEP_NANOS)) return;
    this.hasArm ||= !joints.names.every(isGripper);
    const before = this.#last;
    this.#last = { time, positions: joints.positions };
    if (before?.positions.length !== joints.positions.length) return;
    const moving = movingJoints(joints, before.positions, Number(time - before.time) / 1e9);
    if (moving.some(isGripper)) this.#work.lastTime = time;
    if (moving.length === 0 && this.#work.lastTime < before.time) {
      this.#stillFrom ??= before.time;
      return;
    }
    const known = this.longest ? this.longest.endTime - this.longest.startTime : 0n;
    if (this.hasMoved && this.#stillFrom !== undefined && before.time - this.#stillFrom > known) {
      this.longest = { startTime: this.#stillFrom, endTime: before.time };
    }
    this.#stillFrom = undefined;
    this.hasMoved ||= moving.length > 0;
  }
}

function movingJoints({ names, positions }: Joints, before: Float64Array, secs: number): readonly string[] {
  return names.filter((_, i) => Math.abs(positions[i]! - before[i]!) / secs >= STILL_SPEED);
}
