// `npm run gpu:check -- --out DIR`: all that the first minutes on a GPU must show, in the order of what is worth most:
// it builds and passes the tests, agrees with the CPU and PyTorch, with CUDA graphs and without, the device's description
// for planning without one, speed beside PyTorch, sanitizers, profile. With --emulation the script itself is tried out on tiny sizes.
import { runSteps, stepOptions } from './steps.mjs';

const onGpu = { RESIDUA_TEST_DEVICES: 'gpu(0)', RESIDUA_TF32: '0' };
const train = 'node dist/cli/main.js train --epochs 1 --device gpu';
const small = `${train} --limit 512 --batch-size 64 --resize 32 --out`;
const report = '--reporter=default --reporter=json --outputFile.json';

/** @type {import('./steps.mjs').Step[]} */
const steps = [
  {
    name: 'machine',
    seconds: 20,
    command: 'nvidia-smi && nvcc --version && node --version && echo "CUDA_LIBS_ROOT=$CUDA_LIBS_ROOT"',
    emulated: 'node --version',
  },
  {
    name: 'build',
    seconds: 240,
    required: true,
    command:
      'cmake -S . -B build/cuda -DRESIDUA_ADDON=OFF -DRESIDUA_CUDA=ON -DCMAKE_CUDA_ARCHITECTURES=native && cmake --build build/cuda -j --target residua_cuda && cp build/cuda/Release/libresidua_cuda.so build/Release/',
    emulated: 'ls build/Release/libresidua_cuda_emulation.so',
  },
  {
    name: 'doctor',
    seconds: 60,
    required: true,
    command:
      'node dist/cli/main.js doctor --json | tee $OUT/doctor.json && grep -A3 "gpu(0)" $OUT/doctor.json | grep -q "true"',
    emulated:
      'node dist/cli/main.js doctor --json | tee $OUT/doctor.json && grep -A3 "gpu(0)" $OUT/doctor.json | grep -q "true"',
  },
  {
    name: 'tests-gpu',
    seconds: 200,
    env: onGpu,
    command: `vitest run --exclude test/cuda --exclude test/setup --exclude test/cli ${report}=$OUT/tests-gpu.json`,
    emulated: `vitest run test/ops/dense.test.ts test/ops/sgd.test.ts ${report}=$OUT/tests-gpu.json`,
  },
  {
    name: 'tests-cpu',
    seconds: 60,
    env: { RESIDUA_TEST_DEVICES: 'cpu' },
    command: `vitest run test/ops test/golden ${report}=$OUT/tests-cpu.json`,
    emulated: `vitest run test/ops/dense.test.ts ${report}=$OUT/tests-cpu.json`,
  },
  {
    name: 'parity',
    seconds: 60,
    env: { RESIDUA_TF32: '0' },
    command: 'node --import tsx bench/parity.ts --out $OUT/parity.json',
    emulated: 'node --import tsx bench/parity.ts --size 32 --batch 8 --out $OUT/parity.json',
  },
  {
    name: 'graphs',
    seconds: 60,
    env: { RESIDUA_TF32: '0' },
    command: 'node scripts/gpu/graphs.mjs float32 && node scripts/gpu/graphs.mjs bfloat16',
    emulated: 'node scripts/gpu/graphs.mjs float32',
  },
  {
    name: 'device-description',
    seconds: 60,
    command:
      'cmake --build build/cuda -j --target describe_device && build/cuda/Release/planning/describe_device | tee $OUT/device.json',
  },
  {
    name: 'speed',
    seconds: 150,
    command:
      'node --import tsx bench/compare.ts --device "gpu(0)" --models r18@96 --tasks training --rounds 2 --steps 20 --out $OUT/training-gpu.json',
    emulated:
      'RESIDUA_PYTHON=none node --import tsx bench/compare.ts --device "gpu(0)" --models r18@16 --tasks training --batch 2 --min-seconds 0 --rounds 1 --steps 1 --out $OUT/training-gpu.json',
  },
  {
    name: 'memcheck',
    seconds: 60,
    command: `compute-sanitizer --tool memcheck --error-exitcode 9 ${small} $OUT/memcheck`,
  },
  {
    name: 'racecheck',
    seconds: 60,
    command: `compute-sanitizer --tool racecheck --error-exitcode 9 ${small} $OUT/racecheck`,
  },
  {
    name: 'profile',
    seconds: 60,
    command: `ncu --set base --launch-skip 200 --launch-count 300 --csv ${small} $OUT/profile > $OUT/ncu.csv && tail -5 $OUT/ncu.csv`,
  },
];

process.exitCode = runSteps(steps, stepOptions());
