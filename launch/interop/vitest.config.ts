import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Our files in the hands of the programs they are made for, and what takes long: `npm run test:interop`. */
export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  test: {
    include: ['launch/interop/*.interop.test.ts', '{converters,launch}/**/*.long.test.ts'],
    globalSetup: 'launch/interop/setup.ts',
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
