import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{schemas,recorder,converters,viewer,launch}/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/*.interop.test.ts', '**/*.long.test.ts'],
    // Tests that run the simulated robot or encode video take seconds, not milliseconds.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Half of the tests wait for a disk, a child or a clock: two workers per core keep the cores busy.
    maxWorkers: 2 * availableParallelism(),
    // No test changes a module's state: one process serves many files, and loads what they share once.
    isolate: false,
    // Pictures and messages die young: with room for more of them the collector runs less often.
    execArgv: ['--max-semi-space-size=64'],
    // Every take starts a thread, many tests a program: what one has compiled, the next ones find.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), 'kinescribe-test-compile-cache') },
  },
});
