import { elseNotAssessed } from '../at-least.ts';
import type { Check } from '../check.ts';
import { BIAS_CHECKS } from './bias-checks.ts';
import { MODALITY_CONFLICT } from './conflict-check.ts';
import { FORCE_CHECKS } from './force-checks.ts';
import { GRAVITY_RESIDUAL } from './gravity-check.ts';
import { GRIPPER_CHECKS } from './gripper-checks.ts';
import { TACTILE_CHECKS } from './tactile-checks.ts';

const OF_SKIN = new Set(TACTILE_CHECKS.map(({ id }) => id));

/** Checks of forces, grippers and touch, in the order of the catalogue. */
export const INTERACTION_CHECKS: readonly Check[] = [
  ...FORCE_CHECKS,
  ...BIAS_CHECKS,
  GRAVITY_RESIDUAL,
  ...GRIPPER_CHECKS,
  MODALITY_CONFLICT,
  ...TACTILE_CHECKS,
]
  .map((check) => {
    const missing = OF_SKIN.has(check.id) ? 'no stream holds touch' : 'no stream holds forces';
    return { ...check, watch: elseNotAssessed(missing, check.watch) };
  })
  .sort((a, b) => a.id.localeCompare(b.id));
