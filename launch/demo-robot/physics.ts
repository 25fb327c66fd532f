import loadMujoco, { type DoubleBuffer, type MainModule, type MjData, type MjModel } from '@mujoco/mujoco';
import type { Pose, Vec3 } from './pose.ts';

/** One point where two bodies press on each other. */
export interface ContactPoint {
  /** In the world. */
  readonly position: Vec3;
  /** Newtons, never negative. */
  readonly normalForce: number;
}

/**
 * MuJoCo behind the few typed functions this robot needs. Arrays are views of the engine's memory: their
 * values change with every step.
 */
export class Physics {
  /** Generalised positions: the joints in the model's order, then the block's position and [w, x, y, z]. */
  readonly qpos: Float64Array;
  readonly qvel: Float64Array;
  /** Targets of the actuators. */
  readonly ctrl: Float64Array;
  /** Force or torque of the actuators at each degree of freedom, gravity compensation included. */
  readonly actuatorForces: Float64Array;
  /** Readings in the model's order, of the instant where the last step began. */
  readonly sensors: Float64Array;
  /** Where things are for any positions, without touching the simulated state. */
  readonly kinematics: Kinematics;
  readonly #mujoco: MainModule;
  readonly #model: MjModel;
  readonly #data: MjData;
  readonly #wrench: DoubleBuffer;

  static async load(mjcf: string): Promise<Physics> {
    return new Physics(await loadMujoco(), mjcf);
  }

  private constructor(mujoco: MainModule, mjcf: string) {
    this.#mujoco = mujoco;
    this.#model = mujoco.MjModel.from_xml_string(mjcf);
    this.#data = new mujoco.MjData(this.#model);
    this.#wrench = new mujoco.DoubleBuffer(6);
    // The engine's memory moves while it grows: everything is made before the first view is taken.
    const ghost = new mujoco.MjData(this.#model);
    this.kinematics = new Kinematics(mujoco, this.#model, ghost);
    this.qpos = this.#data.qpos;
    this.qvel = this.#data.qvel;
    this.ctrl = this.#data.ctrl;
    this.actuatorForces = this.#data.qfrc_actuator;
    this.sensors = this.#data.sensordata;
  }

  /** Advances by one time step of the model. */
  step(): void {
    this.#mujoco.mj_step(this.#model, this.#data);
  }

  geomId(name: string): number {
    return this.#model.geom(name).id;
  }

  /** The points between two geoms at the instant where the last step began. */
  contacts(geomA: number, geomB: number): ContactPoint[] {
    const points: ContactPoint[] = [];
    const contacts = this.#data.contact;
    for (let i = 0; i < contacts.size(); i++) {
      const contact = contacts.get(i);
      if (!contact) continue;
      const { geom1, geom2, pos } = contact;
      if ((geom1 === geomA && geom2 === geomB) || (geom1 === geomB && geom2 === geomA)) {
        this.#mujoco.mj_contactForce(this.#model, this.#data, i, this.#wrench);
        points.push({ position: [pos[0], pos[1], pos[2]], normalForce: this.#wrench.GetView()[0] });
      }
      contact.delete();
    }
    contacts.delete();
    return points;
  }
}

/** Forward kinematics of the model: set {@link qpos}, update(), ask for poses. */
export class Kinematics {
  readonly qpos: Float64Array;
  readonly #mujoco: MainModule;
  readonly #model: MjModel;
  readonly #state: MjData;
  /** Asking the engine for a name costs more than a picture's worth of poses. */
  readonly #bodies = new Map<string, number>();
  readonly #positions: Float64Array;
  readonly #orientations: Float64Array;

  constructor(mujoco: MainModule, model: MjModel, state: MjData) {
    this.#mujoco = mujoco;
    this.#model = model;
    this.#state = state;
    this.qpos = state.qpos;
    this.#positions = state.xpos;
    this.#orientations = state.xquat;
  }

  /** Brings all bodies to where {@link qpos} puts them. */
  update(): void {
    this.#mujoco.mj_kinematics(this.#model, this.#state);
  }

  bodyId(name: string): number {
    const known = this.#bodies.get(name);
    if (known !== undefined) return known;
    const { id } = this.#model.body(name);
    this.#bodies.set(name, id);
    return id;
  }

  /** world_from_body, as of the last update. */
  pose(body: number): Pose {
    const [p, q] = [this.#positions, this.#orientations];
    return {
      position: [p[body * 3]!, p[body * 3 + 1]!, p[body * 3 + 2]!],
      orientation: [q[body * 4 + 1]!, q[body * 4 + 2]!, q[body * 4 + 3]!, q[body * 4]!],
    };
  }
}
