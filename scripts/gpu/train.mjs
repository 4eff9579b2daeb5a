// `npm run gpu:train -- --out DIR`: the chapter's five epochs on the GPU, in float32 and in bfloat16. With --emulation the
// script itself is tried out on a few images.
import { runSteps, stepOptions } from './steps.mjs';

const chapter = 'node dist/cli/main.js train --device gpu';
const few = '--limit 32 --batch-size 16 --resize 28 --epochs 1';

/** @type {import('./steps.mjs').Step[]} */
const steps = ['float32', 'bfloat16'].map((precision) => ({
  name: `chapter-${precision}`,
  seconds: 280,
  command: `${chapter} --precision ${precision} --out $OUT/chapter-${precision}`,
  emulated: `${chapter} ${few} --precision ${precision} --out $OUT/chapter-${precision}`,
}));

process.exitCode = runSteps(steps, stepOptions());
