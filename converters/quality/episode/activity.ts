import type { Watch } from '../check.ts';
import { entryOf } from '../entry-of.ts';
import { Contacts } from '../interaction/contact.ts';
import { GripperMachine } from '../interaction/gripper.ts';
import { ofGrippers } from '../interaction/per-gripper.ts';
import { isWrench } from '../interaction/wrench.ts';
import { jointSample } from '../joint-sample.ts';
import { isJointCommand } from '../motion/joints.ts';
import type { Observation } from '../observation.ts';
import type { CheckedStream, Subject } from '../subject.ts';
import { BIN_SECS, fastest, MotionProfile } from './motion-profile.ts';

/** Around what a gripper does nothing is idle: fingers need to settle before the arm may go on. */
const GRIPPER_SECS = 0.5;
const BIN_NANOS = BigInt(BIN_SECS * 1e9);

/**
 * What a robot at rest may be busy with: it is told to move, it presses on something, or its gripper is at work.
 * The rule of openpi's idle filter for DROID, which looks at commands, with contact and grippers beside it.
 */
export class Activity {
  readonly #subject: Subject;
  readonly #commands = new Map<CheckedStream, Command>();
  readonly #contacts: Contacts;
  readonly #pressed = new Set<number>();
  readonly #hands: Watch;
  readonly #machines: GripperMachine[] = [];

  constructor(subject: Subject) {
    this.#subject = subject;
    this.#contacts = new Contacts(subject);
    this.#hands = ofGrippers(() => {
      let machine: GripperMachine | undefined;
      return {
        state: (gripper, aperture, time) => {
          if (!machine) {
            machine = new GripperMachine(gripper.stroke);
            this.#machines.push(machine);
          }
          machine.add(aperture, gripper.command, time);
        },
        judgement: () => undefined,
      };
    })(subject);
  }

  wants(stream: CheckedStream): boolean {
    return isWrench(stream) || this.#hands.wants!(stream);
  }

  observe(observation: Observation): void {
    const { stream, logTime } = observation;
    if (isWrench(stream)) {
      if (this.#contacts.observe(observation)) this.#pressed.add(this.#stepOf(logTime));
      return;
    }
    this.#hands.observe!(observation);
    if (!isJointCommand(stream)) return;
    entryOf(this.#commands, stream, () => new Command(this.#subject.startTime)).add(observation);
  }

  /** In the steps and the unit of a motion profile: how fast commands change, and 1 where something else goes on. */
  speeds(endTime: bigint): Float64Array {
    const told = fastest([
      new Float64Array(Math.max(0, this.#stepOf(endTime - 1n) + 1)),
      ...[...this.#commands.values()].map(({ profile }) => profile.speeds(endTime)),
    ]);
    for (const step of this.#pressed) if (step < told.length) told[step] = 1;
    const reach = Math.round(GRIPPER_SECS / BIN_SECS);
    for (const { time } of this.#machines.flatMap(({ moments }) => moments)) {
      const step = this.#stepOf(time);
      told.fill(1, Math.max(0, step - reach), Math.max(0, step + reach + 1));
    }
    return told;
  }

  #stepOf(time: bigint): number {
    return Number((time - this.#subject.startTime) / BIN_NANOS);
  }
}

/** How fast the commands of one stream change: each holds until the next, however long that takes. */
class Command {
  readonly profile: MotionProfile;
  #last: ReturnType<typeof jointSample>;

  constructor(startTime: bigint) {
    this.profile = new MotionProfile(startTime);
  }

  add(observation: Observation): void {
    const sample = jointSample(observation);
    if (!sample || !Array.from(sample.position).every(Number.isFinite)) return;
    if (this.#last && sample.logTime - this.#last.logTime > BIN_NANOS) {
      this.profile.add({ ...this.#last, logTime: sample.logTime - BIN_NANOS });
    }
    this.profile.add(sample);
    this.#last = sample;
  }
}
