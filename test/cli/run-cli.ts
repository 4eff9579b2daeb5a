// Runs the built command line as a child process.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Ended {
  /** Exit status; null where a signal ended it. */
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Called with all of stdout so far, whenever more comes. */
  onStdout?: (stdout: string, child: ChildProcess) => void;
}

/** `residua ...args`, on the CPU. */
export function residua(args: string[], options: CliOptions = {}): Promise<Ended> {
  return runNode([join(root, 'dist', 'cli', 'main.js'), ...args], options);
}

/** `node ...args` */
export function runNode(args: string[], { cwd = root, env = {}, onStdout }: CliOptions = {}): Promise<Ended> {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, RESIDUA_DEVICE: 'cpu', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended: Ended = { status: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    ended.stdout += chunk;
    onStdout?.(ended.stdout, child);
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    ended.stderr += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (status) => resolve({ ...ended, status }));
  });
}
