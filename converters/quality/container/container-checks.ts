import type { Check } from '../check.ts';
import { CAMERA_CHECK } from './camera-check.ts';
import { FILE_CHECKS } from './file-checks.ts';
import { STREAM_CHECKS } from './stream-checks.ts';
import { TRANSFORM_TREE_CHECK } from './transform-tree-check.ts';

/** C01–C13, by id. */
export const CONTAINER_CHECKS: readonly Check[] = [
  ...FILE_CHECKS,
  ...STREAM_CHECKS,
  TRANSFORM_TREE_CHECK,
  CAMERA_CHECK,
].sort((a, b) => (a.id < b.id ? -1 : 1));
