// `npm run gpu:train -- --out DIR`: the chapter's five epochs on the GPU, as float32 and as bfloat16.
import { outFolder, runSteps } from './steps.mjs';

const chapter = 'node dist/cli/main.js train --device gpu --out';

/** @type {import('./steps.mjs').Step[]} */
const steps = [
  { name: 'chapter-float32', seconds: 240, command: `${chapter} $OUT/chapter-float32` },
  { name: 'chapter-bfloat16', seconds: 240, command: `${chapter} $OUT/chapter-bfloat16 --precision bfloat16` },
];

process.exitCode = runSteps(steps, outFolder());
