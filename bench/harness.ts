// What every benchmark shares: child processes, medians, the machine's description, result files.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const benchFolder = dirname(fileURLToPath(import.meta.url));
export const root = dirname(benchFolder);

/** Timed steps of one net in one process. */
export interface StepRun {
  library: string;
  /** One entry a step, after warm-up. */
  seconds: number[];
  /** Images of a step, where they are fewer than were asked for. */
  batch?: number;
  peakRssBytes: number;
  /** The longest time that a 5 ms timer was late during the timed steps. Not measured for Python. */
  eventLoopDelayMs?: number;
  /** From the start of the process to the end of the first step. */
  firstStepSeconds?: number;
  /** On a GPU. */
  peakDeviceBytes?: number;
  /** Of the last step; null where it is not finite. */
  loss: number | null;
}

/** What a child process printed, or why it printed nothing. */
export type Outcome<T> = { result: T } | { failed: string };

/** glibc's allocator so tuned that memory is touched once and kept: without it PyTorch trains four times slower here. */
export const tunedMalloc = {
  GLIBC_TUNABLES: [
    'glibc.malloc.hugetlb=1',
    'glibc.malloc.mmap_threshold=4294967296',
    'glibc.malloc.trim_threshold=68719476736',
    'glibc.malloc.top_pad=1073741824',
  ].join(':'),
};

/** A size of this process in bytes: VmRSS now, VmHWM the most so far. The kernel counts a parent's into a child's maxRSS. */
export function processBytes(field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)![1]) * 1024;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Runs a command that ends by printing one line of JSON. `limitSeconds`: it is ended after so long. */
export function runJson<T>(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
  limitSeconds?: number,
): Outcome<T> {
  const result = spawnSync(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: limitSeconds && limitSeconds * 1000,
  });
  const line = result.stdout?.trim().split('\n').at(-1) ?? '';
  if (result.status === 0 && line.startsWith('{')) return { result: JSON.parse(line) as T };
  if ((result.error as NodeJS.ErrnoException | undefined)?.code === 'ETIMEDOUT')
    return { failed: `not done after ${limitSeconds} s` };
  return { failed: result.error?.message ?? reasonIn(result.stderr) };
}

/** The line that names the error: Node prints the stack behind it, Python before it. */
function reasonIn(stderr: string): string {
  const lines = stderr.trim().split('\n');
  return (
    lines.findLast((line) => /^[\w.]*(Error|Exception|SystemExit)\b|^[A-Z]\w*Error/.test(line)) ??
    lines.slice(-4).join(' ')
  );
}

/** Runs a benchmark script of this folder with Node. */
export function runScript<T>(script: string, args: readonly string[], env: Record<string, string> = {}): Outcome<T> {
  return runJson<T>(process.execPath, ['--import', 'tsx', join(benchFolder, script), ...args], env);
}

/** The Python that has PyTorch: RESIDUA_PYTHON, else python3; null where it has none. */
export function pythonWithTorch(): string | null {
  const python = process.env.RESIDUA_PYTHON ?? 'python3';
  return spawnSync(python, ['-c', 'import torch']).status === 0 ? python : null;
}

export function machine(): Record<string, unknown> {
  const flags = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  return {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    avx512: flags.includes('avx512f'),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
  };
}

function commit(): string {
  try {
    const hash = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
    const dirty = execFileSync('git', ['status', '--porcelain', '--', 'lib', 'native', 'bench'], {
      cwd: root,
      encoding: 'utf8',
    }).trim();
    return dirty ? `${hash} with changes` : hash;
  } catch {
    return 'unknown';
  }
}

export const resultFile = (name: string, ending = 'json'): string => join(benchFolder, 'results', `${name}.${ending}`);

/** Date, commit and machine, as every result has them. */
export const circumstances = () => ({
  date: new Date().toISOString().slice(0, 10),
  commit: commit(),
  machine: machine(),
});

/** Writes a text, and says so. */
export function writeText(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  process.stdout.write(`wrote ${file}\n`);
}

/** Writes bench/results/<name>.json, or another file, with date, machine and commit. */
export function writeResult(name: string, result: Record<string, unknown>, other = ''): void {
  writeText(other || resultFile(name), `${JSON.stringify({ ...circumstances(), ...result }, null, 2)}\n`);
}
