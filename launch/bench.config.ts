import { defineConfig } from 'vitest/config';

/** `npm run bench`: figures are printed, nothing is asserted of time. */
export default defineConfig({
  test: {
    root: `${import.meta.dirname}/..`,
    include: ['{recorder,converters,launch}/**/*.bench.ts'],
    testTimeout: 600_000,
    fileParallelism: false,
  },
});
