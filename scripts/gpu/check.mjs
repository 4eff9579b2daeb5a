// `npm run gpu:check -- --out DIR`: all that the first minutes on a GPU must show, in the order of what is worth most:
// builds and passes the tests, device description for deviceless planning, speed beside PyTorch, sanitizer, profile.
import { outFolder, runSteps } from './steps.mjs';

const gpu = { RESIDUA_DEVICE: 'gpu(0)' };
const smallTraining =
  'node dist/cli/main.js train --limit 512 --epochs 1 --batch-size 64 --resize 32 --device gpu --out';

/** @type {import('./steps.mjs').Step[]} */
const steps = [
  { name: 'machine', seconds: 20, command: 'nvidia-smi; nvcc --version; node --version; echo "$CUDA_LIBS_ROOT"' },
  {
    name: 'build',
    seconds: 240,
    required: true,
    command:
      'cmake -S . -B build/cuda -DCMAKE_BUILD_TYPE=Release -DRESIDUA_ADDON=OFF -DRESIDUA_CUDA=ON -DCMAKE_CUDA_ARCHITECTURES=native && cmake --build build/cuda -j --target residua_cuda && cp build/cuda/Release/libresidua_cuda.so build/Release/',
  },
  { name: 'doctor', seconds: 60, required: true, env: gpu, command: 'node dist/cli/main.js doctor' },
  {
    name: 'tests',
    seconds: 240,
    env: { RESIDUA_TEST_DEVICES: 'gpu(0)', RESIDUA_TF32: '0' },
    command:
      'vitest run test/ops test/nn test/autograd test/models test/golden test/loss test/optim test/errors test/train --reporter=default --reporter=json --outputFile.json=$OUT/tests.json',
  },
  {
    name: 'device-description',
    seconds: 60,
    command:
      'cmake --build build/cuda -j --target describe_device && build/cuda/Release/planning/describe_device > $OUT/device.json && cat $OUT/device.json',
  },
  {
    name: 'speed',
    seconds: 180,
    command:
      'node --import tsx bench/compare.ts --device "gpu(0)" --sizes 96 --rounds 2 --steps 20 && cp bench/results/training-gpu.json $OUT/',
  },
  {
    name: 'memcheck',
    seconds: 90,
    command: `compute-sanitizer --tool memcheck --error-exitcode 9 ${smallTraining} $OUT/memcheck`,
  },
  {
    name: 'racecheck',
    seconds: 90,
    command: `compute-sanitizer --tool racecheck --error-exitcode 9 ${smallTraining} $OUT/racecheck`,
  },
  {
    name: 'profile',
    seconds: 90,
    command: `ncu --set base --launch-skip 200 --launch-count 300 --csv ${smallTraining} $OUT/profile > $OUT/ncu.csv; tail -5 $OUT/ncu.csv`,
  },
];

process.exitCode = runSteps(steps, outFolder());
