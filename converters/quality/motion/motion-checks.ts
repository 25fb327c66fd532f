import { elseNotAssessed } from '../at-least.ts';
import type { Check } from '../check.ts';
import { COMMAND_CHECKS } from './command-checks.ts';
import { LIMIT_CHECKS } from './limit-checks.ts';
import { POSE_CHECKS } from './pose-checks.ts';
import { SENSOR_CHECKS } from './sensor-checks.ts';
import { SMOOTHNESS_CHECKS } from './smoothness-checks.ts';
import { TRACKING_CHECKS } from './tracking-checks.ts';

/** Checks of motion and of commands, in the order of the catalogue. */
export const MOTION_CHECKS: readonly Check[] = [
  ...[...LIMIT_CHECKS, ...SENSOR_CHECKS, ...SMOOTHNESS_CHECKS, ...POSE_CHECKS].sort(byId),
  ...[...COMMAND_CHECKS, ...TRACKING_CHECKS].sort(byId),
].map((check) => ({ ...check, watch: elseNotAssessed(missingFor(check), check.watch) }));

function byId(a: Check, b: Check): number {
  return a.id.localeCompare(b.id);
}

function missingFor({ id }: Check): string {
  if (id === 'K14') return 'no stream holds rotations';
  return id.startsWith('A') ? 'no stream holds commands of joints' : 'no stream holds states of joints';
}
