// The passes that rewrite a recorded program, in order. Each is a file of its own and can be switched off:
// RESIDUA_PASSES=none, or a list of those to run.

import { shareCommonCasts } from './passes/common-casts.js';
import { eliminateDeadCode } from './passes/dead-code.js';
import { foldBatchNorm } from './passes/fold-batch-norm.js';
import { fuseConv2d } from './passes/fuse-conv2d.js';
import type { Program } from './program.js';

export type Pass = (program: Program) => Program;

/** By the name that RESIDUA_PASSES uses. */
export const passes: Readonly<Record<string, Pass>> = {
  'common-casts': shareCommonCasts,
  'fold-batch-norm': foldBatchNorm,
  'fuse-conv2d': fuseConv2d,
  'dead-code': eliminateDeadCode,
};

/** The passes to run: all, or those named. */
export function chosenPasses(setting: string | undefined = process.env.RESIDUA_PASSES): string[] {
  if (setting === undefined || setting === 'all') return Object.keys(passes);
  if (setting === 'none' || setting === '') return [];
  return setting.split(',').map((name) => name.trim());
}

/** The program after all chosen passes. */
export function optimise(program: Program, names: readonly string[] = chosenPasses()): Program {
  return names.reduce((current, name) => (passes[name] ? passes[name](current) : current), program);
}
