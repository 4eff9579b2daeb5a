// Two files at a time: most of the time goes into what one core does, as JavaScript, starts of processes and the emulated GPU.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/helpers/equal-arrays.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 180_000, // what takes seconds alone takes long where a machine is slow and another file runs beside it
    hookTimeout: 180_000,
    watch: false,
    env: {
      // The CPU backend's threads let go of their core soon where they wait for each other (libgomp): others have use for it.
      GOMP_SPINCOUNT: '1000',
      RESIDUA_TUNING_CACHE: '', // convolutions are timed while other things run: such choices are not for keeping
      RESIDUA_TF32: '0', // float32 on a GPU in full precision, as the tolerances expect
    },
  },
});
