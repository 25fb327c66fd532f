import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/**
 * Our files in the hands of the programs they are made for; what takes long; and all formats where `npm test` takes
 * some.
 */
export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  test: {
    include: [
      'launch/interop/*.interop.test.ts',
      '{converters,launch}/**/*.long.test.ts',
      'launch/{verify-against,large-features,feature-kinds}.test.ts',
    ],
    env: { EVERY_FORMAT: '1' },
    globalSetup: 'launch/interop/setup.ts',
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
