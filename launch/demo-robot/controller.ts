import { InverseKinematics } from './ik.ts';
import type { Kinematics } from './physics.ts';
import {
  between,
  type Phase,
  planTask,
  type Segment,
  type Task,
  toolPose,
  type Waypoint,
} from './pick-and-place.ts';
import { HOME, MAX_APERTURE } from './robot-model.ts';

/** What the arm is told, as `/joint_commands` and `/gripper/command` carry it. */
export interface Command {
  /** Radians, joint1 to joint7. */
  readonly joints: readonly number[];
  /** Metres between the pads. */
  readonly aperture: number;
  readonly phase: Phase;
}

export const COMMAND_RATE_HZ = 50;
/** Stillness before the first motion and after the last, seconds. */
const REST_SECS = 0.6;
/** Enough at 50 Hz: the target moves a few millimetres per command. */
const ITERATIONS = 3;

/** Leads the tool through the script of a task, one command at a time. */
export class Controller {
  readonly #ik: InverseKinematics;
  readonly #rest: Waypoint;
  #joints: readonly number[] = HOME;
  #at: Waypoint;
  #script: Segment[] = [];
  /** Since the current segment began. */
  #elapsedSecs = 0;

  constructor(kinematics: Kinematics) {
    this.#ik = new InverseKinematics(kinematics);
    kinematics.qpos.set(HOME);
    kinematics.update();
    const { position } = kinematics.pose(kinematics.bodyId('tcp'));
    this.#rest = { position, yaw: 0, aperture: MAX_APERTURE };
    this.#at = this.#rest;
  }

  /** Whether the last task is done and no other has begun. */
  get idle(): boolean {
    return this.#script.length === 0;
  }

  /** Begins a task; the arm rests a moment before and after it. */
  begin(task: Task): void {
    const still: Segment = { phase: 'rest', to: this.#at, durationSecs: REST_SECS };
    const script = planTask(this.#at, this.#rest, task);
    this.#script = [still, ...script, { phase: 'rest', to: this.#rest, durationSecs: REST_SECS }];
  }

  /** The next command, one period after the last. */
  next(): Command {
    this.#elapsedSecs += 1 / COMMAND_RATE_HZ;
    let segment = this.#script[0];
    while (segment && this.#elapsedSecs > segment.durationSecs + 1e-9) {
      this.#elapsedSecs -= segment.durationSecs;
      this.#at = segment.to;
      this.#script.shift();
      segment = this.#script[0];
    }
    if (!segment) this.#elapsedSecs = 0;
    const waypoint = segment
      ? between(this.#at, segment.to, this.#elapsedSecs / segment.durationSecs)
      : this.#at;
    this.#joints = this.#ik.solve(this.#joints, toolPose(waypoint), ITERATIONS);
    return { joints: this.#joints, aperture: waypoint.aperture, phase: segment?.phase ?? 'rest' };
  }
}
