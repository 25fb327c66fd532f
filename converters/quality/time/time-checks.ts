import type { Check } from '../check.ts';
import { ALIGNMENT_CHECKS } from './alignment-checks.ts';
import { CLOCK_CHECKS } from './clock-checks.ts';
import { CONTENT_CHECK } from './content-check.ts';
import { RATE_CHECKS } from './rate-checks.ts';
import { STAMP_CHECKS } from './stamp-checks.ts';

/** T01–T17, by id. */
export const TIME_CHECKS: readonly Check[] = [
  ...STAMP_CHECKS,
  ...RATE_CHECKS,
  ...CLOCK_CHECKS,
  ...ALIGNMENT_CHECKS,
  CONTENT_CHECK,
].sort((a, b) => (a.id < b.id ? -1 : 1));
