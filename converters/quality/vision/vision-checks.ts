import { elseNotAssessed } from '../at-least.ts';
import type { Check } from '../check.ts';
import { FEED_CHECKS } from './feed-checks.ts';
import { FROZEN_CAMERA } from './frozen-camera.ts';
import { PICTURE_CHECKS } from './picture-checks.ts';
import { VIEW_CHECKS } from './view-checks.ts';

const OF_DEPTH = new Set(['V13', 'V14']);

/** Checks of cameras and depth, in the order of the catalogue. */
export const VISION_CHECKS: readonly Check[] = [
  FROZEN_CAMERA,
  ...FEED_CHECKS,
  ...PICTURE_CHECKS,
  ...VIEW_CHECKS,
]
  .map((check) => {
    const missing = OF_DEPTH.has(check.id)
      ? 'no camera measures distance'
      : 'no stream holds pictures to look at';
    return { ...check, watch: elseNotAssessed(missing, check.watch) };
  })
  .sort((a, b) => a.id.localeCompare(b.id));
