// What each net of the family costs: images per second and memory of training and inference beside PyTorch's, as `compare` measures them.
// Writes bench/results/family-<task>-<device>.json and a chart beside it; `readme` makes the table of docs/family.md of them.
// npm run bench -- family [--models resnet18@224,...] [--peers eager] [--rounds 1] [--steps 5], and the other options of compare
import { main } from './arguments.js';
import { compareOptions, ofFamily } from './compare/cases.js';
import { runComparison } from './compare/run.js';

await main(() => runComparison(compareOptions(undefined, ofFamily), 'family-'));
