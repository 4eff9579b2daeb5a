// The passes that rewrite a recorded program, in order. Each is a file of its own and can be switched off:
// RESIDUA_PASSES=none, or a list of those to run.

import { fuseAddRelu } from './passes/add-relu.js';
import { fuseAddReluBackward } from './passes/add-relu-backward.js';
import { fuseBatchNormAddRelu } from './passes/batch-norm-add-relu.js';
import { fuseBatchNormRelu } from './passes/batch-norm-relu.js';
import { castWeightsInConv2d } from './passes/cast-weights.js';
import { shareCommonCasts } from './passes/common-casts.js';
import { dropDeadBias } from './passes/dead-bias.js';
import { eliminateDeadCode } from './passes/dead-code.js';
import { foldBatchNorm } from './passes/fold-batch-norm.js';
import { fuseConv2d } from './passes/fuse-conv2d.js';
import { fuseResidualGradient } from './passes/residual-gradient.js';
import type { Program } from './program.js';

/** What a program is to run on. */
export type Target = 'cpu' | 'gpu';

export type Pass = (program: Program, target: Target) => Program;

/** By the name that RESIDUA_PASSES uses. What makes addRelu comes before what takes it further. */
export const passes: Readonly<Record<string, Pass>> = {
  'common-casts': shareCommonCasts,
  'fold-batch-norm': foldBatchNorm,
  'add-relu': fuseAddRelu,
  'batch-norm-relu': fuseBatchNormRelu,
  'batch-norm-add-relu': fuseBatchNormAddRelu,
  'residual-gradient': fuseResidualGradient,
  'fuse-conv2d': fuseConv2d,
  'add-relu-backward': fuseAddReluBackward,
  'dead-bias': dropDeadBias,
  'cast-weights': castWeightsInConv2d,
  'dead-code': eliminateDeadCode,
};

/** The passes to run: all, or those named. */
export function chosenPasses(setting: string | undefined = process.env.RESIDUA_PASSES): string[] {
  if (setting === undefined || setting === 'all') return Object.keys(passes);
  if (setting === 'none' || setting === '') return [];
  return setting.split(',').map((name) => name.trim());
}

/** The program after all chosen passes. */
export function optimise(program: Program, target: Target, names: readonly string[] = chosenPasses()): Program {
  return names.reduce((current, name) => passes[name]?.(current, target) ?? current, program);
}

/** What a backend of this name is: 'cpu', 'gpu(0)'. */
export const targetOf = ({ name }: { name: string }): Target => (name === 'cpu' ? 'cpu' : 'gpu');
