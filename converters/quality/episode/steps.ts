import type { CurrentLabels } from '../../../schemas/labels.ts';

/** Says who was in control, not what was done. */
export const INTERVENTION = 'intervention';

/** One marked part of a task. */
export interface Step {
  readonly name: string;
  /** Log times, half-open. */
  readonly startTime: bigint;
  readonly endTime: bigint;
}

/** The steps of an episode as people marked them, by start time. */
export function stepsOf({ marks }: CurrentLabels): readonly Step[] {
  return marks.map(({ label }) => label).filter(({ name }) => name !== INTERVENTION);
}
