// Training and inference steps of residua and its peers, in turn in one run; prints tables, writes
// bench/results/<task>-<device>.json with all figures and a chart beside it. Compared within one precision.
// npm run bench -- compare [--models r18@96,r18@28,resnet50@224] [--tasks training,inference] [--batch 256,1] [--threads 2,1]
//   [--precisions float32,bfloat16] [--rounds 2] [--steps 15] [--min-seconds 2] [--device cpu]
//   [--peers eager,compiled,eager-default-malloc,compiled-default-malloc | none] [--tensorflow-js] [--out FILE]
import { main } from './arguments.js';
import { compareOptions } from './compare/cases.js';
import { runComparison } from './compare/run.js';

await main(() => runComparison(compareOptions()));
