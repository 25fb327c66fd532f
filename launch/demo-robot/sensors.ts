import type { MessageValue } from '../../schemas/message.ts';
import type { Stamp } from '../../schemas/time.ts';
import type { Command } from './controller.ts';
import { SENSORS } from './mjcf.ts';
import type { ContactPoint } from './physics.ts';
import { invert, type Pose, transformPoint } from './pose.ts';
import { Random } from './random.ts';
import { ARM_JOINTS, FINGER_JOINTS, JOINTS, PAD } from './robot-model.ts';
import { FINGERS_AT, type State } from './state.ts';
import { TOPICS, type Topic } from './streams.ts';

/** Standard deviations of the sensors' noise; the encoder's is its resolution. */
const NOISE = { encoder: 2e-5, velocity: 2e-3, effort: 0.03, force: 0.08, torque: 2e-3, taxel: 1.5e-3 };
/** Constant offsets of the force-torque sensor, drawn once per robot. */
const BIAS = { force: 0.25, torque: 0.01 };
/** Rows along the finger, columns across it. */
const TAXELS = { rows: 4, cols: 4 } as const;
/** How far a press spreads in the skin over the taxels, metres. */
const SKIN_SPREAD = 0.0035;

/** A joint whose encoder is stuck, and where. */
export interface StuckJoint {
  readonly joint: string;
  readonly position: number;
}

/** Turns states of the physics into what the robot's own sensors report, noise and all. */
export class Sensors {
  readonly #noise: ReadonlyMap<Topic, Random>;
  readonly #bias: readonly number[];

  constructor(seed: number) {
    this.#noise = new Map(Object.values(TOPICS).map((topic) => [topic, new Random(`${seed}/noise${topic}`)]));
    const random = new Random(`${seed}/bias`);
    this.#bias = [0, 0, 0, 1, 1, 1].map((torque) => random.normal() * (torque ? BIAS.torque : BIAS.force));
  }

  /** sensor_msgs/msg/JointState of the arm and both fingers. */
  jointState(stamp: Stamp, { qpos, qvel, efforts }: State, stuck: StuckJoint | undefined): MessageValue {
    const random = this.#noise.get(TOPICS.jointStates)!;
    const isStuck = (i: number) => JOINTS[i] === stuck?.joint;
    const position = JOINTS.map((_, i) => quantise(qpos[i]!, NOISE.encoder));
    const velocity = JOINTS.map((_, i) => qvel[i]! + random.normal() * NOISE.velocity);
    return {
      header: { stamp, frame_id: '' },
      name: JOINTS,
      position: position.map((value, i) => (isStuck(i) ? stuck!.position : value)),
      velocity: velocity.map((value, i) => (isStuck(i) ? 0 : value)),
      effort: JOINTS.map((_, i) => efforts[i]! + random.normal() * NOISE.effort),
    };
  }

  /**
   * geometry_msgs/msg/WrenchStamped: what the gripper and its load do to the arm, in the sensor's frame,
   * with gravity and bias as a real sensor reports them.
   */
  wrench(stamp: Stamp, { sensors }: State, saturatedAt: number | undefined): MessageValue {
    const random = this.#noise.get(TOPICS.wrench)!;
    // MuJoCo reports what the arm does to the gripper.
    const read = (at: number, axis: number, sigma: number) =>
      -sensors[at + axis]! + this.#bias[at - SENSORS.force + axis]! + random.normal() * sigma;
    const [fx, fy, fz] = [0, 1, 2].map((axis) => read(SENSORS.force, axis, NOISE.force));
    const [tx, ty, tz] = [0, 1, 2].map((axis) => read(SENSORS.torque, axis, NOISE.torque));
    return {
      header: { stamp, frame_id: 'ft_sensor' },
      wrench: { force: { x: fx, y: fy, z: saturatedAt ?? fz }, torque: { x: tx, y: ty, z: tz } },
    };
  }

  /** kinescribe_msgs/msg/TactileArray of the left fingertip: each press spread over the taxels near it. */
  tactile(stamp: Stamp, worldFromPad: Pose, contacts: readonly ContactPoint[]): MessageValue {
    const random = this.#noise.get(TOPICS.tactile)!;
    const { rows, cols } = TAXELS;
    const pressure = new Float32Array(rows * cols);
    const padFromWorld = invert(worldFromPad);
    for (const { position, normalForce } of contacts) {
      const [x, y] = transformPoint(padFromWorld, position);
      const weights = Array.from(pressure, (_, i) => {
        const [dx, dy] = [
          x - taxelCenter(i % cols, cols, PAD.width),
          y - taxelCenter(Math.floor(i / cols), rows, PAD.length),
        ];
        return Math.exp(-(dx * dx + dy * dy) / (2 * SKIN_SPREAD ** 2));
      });
      const sum = weights.reduce((total, weight) => total + weight, 1e-9);
      for (let i = 0; i < pressure.length; i++) pressure[i]! += (normalForce * weights[i]!) / sum;
    }
    for (let i = 0; i < pressure.length; i++) {
      pressure[i] = Math.max(0, pressure[i]! + random.normal() * NOISE.taxel);
    }
    return { header: { stamp, frame_id: 'fingertip_tactile' }, rows, cols, pressure };
  }

  /** sensor_msgs/msg/JointState of the gripper: aperture in metres, closing force in newtons. */
  gripperState(stamp: Stamp, { qpos, qvel, efforts }: State): MessageValue {
    const random = this.#noise.get(TOPICS.gripperState)!;
    const sum = (values: Float64Array) => values[FINGERS_AT]! + values[FINGERS_AT + 1]!;
    return {
      header: { stamp, frame_id: '' },
      name: ['gripper'],
      position: [quantise(sum(qpos), NOISE.encoder)],
      velocity: [sum(qvel) + random.normal() * NOISE.velocity * 0.1],
      effort: [-efforts[FINGERS_AT]! + random.normal() * NOISE.effort],
    };
  }
}

/** sensor_msgs/msg/JointState: where the joints are told to be; a finger goes half the aperture. */
export function jointCommand(stamp: Stamp, { joints, aperture }: Command): MessageValue {
  return {
    header: { stamp, frame_id: '' },
    name: [...ARM_JOINTS, FINGER_JOINTS[0]],
    position: [...joints, aperture / 2],
    velocity: [],
    effort: [],
  };
}

/** sensor_msgs/msg/JointState: the aperture the gripper is told to take, metres. */
export function gripperCommand(stamp: Stamp, { aperture }: Command): MessageValue {
  return {
    header: { stamp, frame_id: '' },
    name: ['gripper'],
    position: [aperture],
    velocity: [],
    effort: [],
  };
}

function taxelCenter(index: number, count: number, extent: number): number {
  return ((index + 0.5) / count - 0.5) * extent;
}

function quantise(value: number, step: number): number {
  return Math.round(value / step) * step;
}
