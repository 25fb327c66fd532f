import { COMMAND_RATE_HZ, type Command, Controller } from './controller.ts';
import { MISS_METRES } from './faults.ts';
import { createMjcf, GRIPPER_ACTUATOR, STEP_SECS } from './mjcf.ts';
import { type ContactPoint, Physics } from './physics.ts';
import type { Pose, Vec3 } from './pose.ts';
import { Random } from './random.ts';
import type { Scene } from './renderer.ts';
import { ARM_JOINTS, BLOCK, HOME, MAX_APERTURE } from './robot-model.ts';
import { BLOCK_AT, FINGERS_AT, type State, stepAndObserve } from './state.ts';
import { TruthLog } from './truth-log.ts';
import type { WorldOptions } from './world-options.ts';

/** What happened in one physics step. */
export interface Step {
  readonly before: State;
  readonly after: State;
  /** In force between the two. */
  readonly command: Command;
}

const STEPS_PER_COMMAND = Math.round(1 / (COMMAND_RATE_HZ * STEP_SECS));
/** Where blocks and targets lie: distance from the arm, angle to either side, least way between them. */
const FIELD = { near: 0.36, far: 0.52, angle: 0.75, apart: 0.16 };

/** The arm, its controller and the block: what is really there, before any sensor looks at it. */
export class World {
  readonly truth: TruthLog;
  readonly #physics: Physics;
  readonly #controller: Controller;
  readonly #random: Random;
  readonly #durationSecs: number | undefined;
  readonly #pads: { readonly finger: number; readonly block: number };
  readonly #takenAtSecs: number;
  #missBy: number;
  #isTaken = false;
  #target: Vec3 = [0, 0, 0];
  #stepCount = 0;
  #last: State;
  #command: Command = { joints: HOME, aperture: MAX_APERTURE, phase: 'rest' };
  #previous: Command = this.#command;

  static async create(options: WorldOptions): Promise<World> {
    return new World(await Physics.load(createMjcf()), options);
  }

  private constructor(physics: Physics, options: WorldOptions) {
    const { seed, faults, durationSecs } = options;
    this.truth = new TruthLog(options);
    this.#physics = physics;
    this.#controller = new Controller(physics.kinematics);
    this.#random = new Random(`${seed}/world`);
    this.#durationSecs = durationSecs;
    this.#takenAtSecs = Math.min(
      ...faults.map((fault) => (fault.kind === 'taken-block' ? fault.fromSecs : Infinity)),
    );
    this.#missBy = faults.some(({ kind }) => kind === 'missed-grasp') ? MISS_METRES : 0;
    this.#pads = { finger: physics.geomId('finger_left_pad'), block: physics.geomId('block') };
    physics.qpos.set(HOME);
    physics.qpos.fill(MAX_APERTURE / 2, FINGERS_AT, BLOCK_AT);
    const [x, y] = this.#placeApartFrom([0, 0, 0]);
    const yaw = this.#random.between(-0.5, 0.5);
    physics.qpos.set([x, y, BLOCK.edge / 2, Math.cos(yaw / 2), 0, 0, Math.sin(yaw / 2)], BLOCK_AT);
    this.#applyCommand(1);
    this.#last = stepAndObserve(physics, 0);
    this.truth.state(this.#last);
    this.#beginTask(0);
  }

  get timeSecs(): number {
    return this.#last.timeSecs;
  }

  /** Whether the last task, or the time given, is over. */
  get isOver(): boolean {
    return this.#durationSecs === undefined ? this.#controller.idle : this.timeSecs >= this.#durationSecs;
  }

  step(): Step {
    const [before, command] = [this.#last, this.#command];
    this.#stepCount++;
    const timeSecs = this.#stepCount * STEP_SECS;
    const step = this.#stepCount % STEPS_PER_COMMAND;
    if (step === 0) this.#tick(timeSecs);
    // The servo runs along the line from the last command to this one, as real arms interpolate.
    this.#applyCommand(step / STEPS_PER_COMMAND);
    if (timeSecs >= this.#takenAtSecs && !this.#isTaken) this.#takeBlock();
    this.#last = stepAndObserve(this.#physics, timeSecs);
    this.truth.state(this.#last);
    return { before, after: this.#last, command };
  }

  /** Where the left fingertip and the block touch, at the end of the last step. */
  fingertipContacts(): ContactPoint[] {
    return this.#physics.contacts(this.#pads.finger, this.#pads.block);
  }

  /** world_from_link of a state, asked by name; valid until the next call or step. */
  posesAt(state: State): (link: string) => Pose {
    const { kinematics } = this.#physics;
    kinematics.qpos.set(state.qpos);
    kinematics.update();
    return (link) => kinematics.pose(kinematics.bodyId(link));
  }

  /** What a camera sees of a state. */
  sceneAt(state: State, cameraFrame: string): Scene {
    const linkPose = this.posesAt(state);
    return { camera: linkPose(cameraFrame), linkPose, block: linkPose('block'), target: this.#target };
  }

  #tick(timeSecs: number): void {
    this.#previous = this.#command;
    this.#command = this.#controller.next();
    this.truth.phase(this.#command.phase, timeSecs);
    if (!this.#controller.idle) return;
    this.truth.taskEnds(timeSecs);
    if (this.#durationSecs !== undefined) this.#beginTask(timeSecs);
  }

  #applyCommand(share: number): void {
    const mix = (from: number, to: number) => from + (to - from) * share;
    for (let i = 0; i < ARM_JOINTS.length; i++) {
      this.#physics.ctrl[i] = mix(this.#previous.joints[i]!, this.#command.joints[i]!);
    }
    this.#physics.ctrl[GRIPPER_ACTUATOR] = mix(this.#previous.aperture, this.#command.aperture);
  }

  /** Puts the block down beside where it is, at rest. */
  #takeBlock(): void {
    this.#isTaken = true;
    const [x, y] = this.#physics.qpos.subarray(BLOCK_AT, BLOCK_AT + 2);
    const [away, side] = [Math.hypot(x!, y!), Math.atan2(y!, x!) + (y! > 0 ? -0.5 : 0.5)];
    const place = [away * Math.cos(side), away * Math.sin(side), BLOCK.edge / 2];
    this.#physics.qpos.set([...place, 1, 0, 0, 0], BLOCK_AT);
    this.#physics.qvel.fill(0, BLOCK_AT);
  }

  #beginTask(timeSecs: number): void {
    const [x, y, z, qw, , , qz] = this.#last.qpos.subarray(BLOCK_AT, BLOCK_AT + 7);
    const block: Vec3 = [x!, y!, z!];
    this.#target = this.#placeApartFrom(block);
    this.#controller.begin({
      block,
      // A cube looks the same after a quarter turn: the nearest one to straight ahead.
      blockYaw: foldQuarter(2 * Math.atan2(qz!, qw!)),
      target: this.#target,
      targetYaw: this.#random.between(-0.4, 0.4),
      missBy: this.#missBy,
    });
    this.#missBy = 0;
    this.truth.taskBegins(timeSecs, this.#target);
  }

  #placeApartFrom([x, y]: Vec3): Vec3 {
    for (;;) {
      const distance = this.#random.between(FIELD.near, FIELD.far);
      const angle = this.#random.between(-FIELD.angle, FIELD.angle);
      const place: Vec3 = [distance * Math.cos(angle), distance * Math.sin(angle), 0];
      if (Math.hypot(place[0] - x, place[1] - y) >= FIELD.apart) return place;
    }
  }
}

function foldQuarter(angle: number): number {
  return angle - Math.round(angle / (Math.PI / 2)) * (Math.PI / 2);
}
