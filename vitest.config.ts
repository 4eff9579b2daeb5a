// Tests run one file after another: each already uses all cores, through the CPU backend's threads.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/helpers/equal-arrays.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    watch: false,
    env: {
      RESIDUA_TUNING_CACHE: '', // convolutions are timed while other things run: such choices are not for keeping
      RESIDUA_TF32: '0', // float32 on a GPU in full precision, as the tolerances expect
    },
  },
});
