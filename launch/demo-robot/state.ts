import type { Physics } from './physics.ts';
import { ARM_JOINTS, JOINTS } from './robot-model.ts';

/** Everything the sensors can see of the physics at one instant. */
export interface State {
  /** Seconds since the start. */
  readonly timeSecs: number;
  /** Joints, then the block's position and its orientation as [w, x, y, z]. */
  readonly qpos: Float64Array;
  readonly qvel: Float64Array;
  /** Newton metres or newtons at each degree of freedom. */
  readonly efforts: Float64Array;
  /** In the order of the model's sensors. */
  readonly sensors: Float64Array;
}

/** Where the block's position begins in qpos. */
export const BLOCK_AT = JOINTS.length;
export const FINGERS_AT = ARM_JOINTS.length;

/** Takes one physics step and returns the state at the instant where it began. */
export function stepAndObserve(physics: Physics, timeSecs: number): State {
  const [qpos, qvel] = [physics.qpos.slice(), physics.qvel.slice()];
  physics.step();
  return { timeSecs, qpos, qvel, efforts: physics.actuatorForces.slice(), sensors: physics.sensors.slice() };
}

/**
 * The state between two neighbouring ones. Straight lines over one physics step are off by less than a
 * micrometre, so that every sensor can have its own exact instant.
 */
export function stateAt(before: State, after: State, timeSecs: number): State {
  const share = (timeSecs - before.timeSecs) / (after.timeSecs - before.timeSecs);
  const mix = (a: Float64Array, b: Float64Array) => a.map((value, i) => value + (b[i]! - value) * share);
  const qpos = mix(before.qpos, after.qpos);
  const quaternion = qpos.subarray(BLOCK_AT + 3, BLOCK_AT + 7);
  const length = Math.hypot(...quaternion);
  for (let i = 0; i < 4; i++) quaternion[i]! /= length;
  return {
    timeSecs,
    qpos,
    qvel: mix(before.qvel, after.qvel),
    efforts: mix(before.efforts, after.efforts),
    sensors: mix(before.sensors, after.sensors),
  };
}
