import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{schemas,recorder,converters,viewer,launch}/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/*.interop.test.ts'],
    // Tests that run the simulated robot or encode video take seconds, not milliseconds.
    testTimeout: 30_000,
    // Half of the tests wait for a disk, a child or a clock: a worker per core keeps the cores busy.
    maxWorkers: '100%',
  },
});
