// Runs plan_graphs, which plans ops with cuDNN for the GPU that a JSON file describes.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { addonFile, packageRoot } from '../../lib/native.js';
import { findLibraries } from './library.js';

/** What became of an op: a plan (`engine` is there), refusals alone, or a failure. */
export interface OpPlan {
  op: string;
  /** Which of the op's graphs it is, where it knows several. */
  alternative?: string;
  engine?: string;
  /** Bytes. */
  workspace?: number;
  bytesOnDisk?: number;
  /** Whether cuDNN takes the plan back from its text. */
  readsBack?: boolean;
  seconds?: number;
  /** The graphs that cuDNN has no engine for, with its reasons, up to the one that has. */
  refused?: string[];
  failed?: string;
}

export interface Planner {
  /** cuDNN's version. */
  cudnn: number;
  plan(ops: readonly string[], precision: 'tf32' | 'exact'): Promise<OpPlan[]>;
}

export const h100 = join(packageRoot, 'native', 'cuda', 'planning', 'h100.json');

/** From cuDNN 9.11 on plans can be made for a device that is not there. */
const oldestCudnn = 91100;

/** The program, built with the emulation, beside the addon. */
const program = join(dirname(addonFile()), 'planning', 'plan_graphs');

/** A planner for the described device, or why there is none. */
export async function openPlanner(device = h100): Promise<Planner | { missing: string }> {
  if (!existsSync(program)) return { missing: `${program} is not built: it comes with RESIDUA_CUDA_EMULATION=ON` };
  const libraries = findLibraries(join(packageRoot, '.cache'));
  if ('missing' in libraries) return libraries;
  const run = (ops: readonly string[], precision: string) => runProgram(libraries.folders, device, ops, precision);
  const { cudnn } = await run([], 'tf32');
  if (cudnn < oldestCudnn) return { missing: `cuDNN ${cudnn} in ${libraries.folders[0]} is older than 9.11` };
  return { cudnn, plan: async (ops, precision) => (await run(ops, precision)).plans };
}

async function runProgram(
  folders: readonly string[],
  device: string,
  ops: readonly string[],
  precision: string,
): Promise<{ cudnn: number; plans: OpPlan[] }> {
  const path = [dirname(program), ...folders].join(':'); // the driver's stand-in lies beside the program
  const child = spawn(program, [device, precision, String(availableParallelism())], {
    env: { ...process.env, LD_LIBRARY_PATH: path },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  child.stdin.end(ops.map((op) => `${op}\n`).join(''));
  const status = await new Promise<number | string>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  if (status !== 0)
    throw new Error(`plan_graphs ended with ${status}: ${errors.trim().split('\n').slice(-4).join('\n')}`);
  const [head, ...lines] = output.trim().split('\n');
  const plans = lines.map((line) => JSON.parse(line) as OpPlan);
  const order = new Map(ops.map((op, i) => [op, i]));
  plans.sort((a, b) => order.get(a.op)! - order.get(b.op)!);
  return { cudnn: (JSON.parse(head!) as { cudnn: number }).cudnn, plans };
}
