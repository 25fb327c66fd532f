import type { Observation } from '../observation.ts';
import type { CheckedStream } from '../subject.ts';

export const AXES = ['force.x', 'force.y', 'force.z', 'torque.x', 'torque.y', 'torque.z'] as const;

/** What the force sensor says: three forces in newtons, then three torques in newton metres. */
export type Wrench = readonly number[];

export function isWrench({ type }: CheckedStream): boolean {
  return /\/WrenchStamped$/.test(type);
}

/** Undefined where a number is missing or is none. */
export function wrenchOf({ value }: Observation): Wrench | undefined {
  const { force, torque } = (value?.wrench ?? {}) as { force?: Vector; torque?: Vector };
  if (!force || !torque) return undefined;
  const wrench = [force.x, force.y, force.z, torque.x, torque.y, torque.z];
  return wrench.every(Number.isFinite) ? wrench : undefined;
}

interface Vector {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}
