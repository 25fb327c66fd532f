import type { Check } from './check.ts';
import { CONTAINER_CHECKS } from './container/container-checks.ts';
import { EPISODE_CHECKS } from './episode/episode-checks.ts';
import { INTERACTION_CHECKS } from './interaction/interaction-checks.ts';
import { MOTION_CHECKS } from './motion/motion-checks.ts';
import { TIME_CHECKS } from './time/time-checks.ts';
import { VISION_CHECKS } from './vision/vision-checks.ts';

/** Every check of the catalogue that looks at episodes, in its order. */
export const CHECKS: readonly Check[] = [
  ...CONTAINER_CHECKS,
  ...TIME_CHECKS,
  ...VISION_CHECKS,
  ...MOTION_CHECKS,
  ...INTERACTION_CHECKS,
  ...EPISODE_CHECKS,
];
