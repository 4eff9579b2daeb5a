// Runs the built command line as a child process.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
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
  /** Called when the child runs. */
  onStart?: (child: ChildProcess) => void;
  /** Called with all of stdout so far, whenever more comes. */
  onStdout?: (stdout: string, child: ChildProcess) => void;
  /** Given standard input, which is empty without it. */
  input?: (stdin: Writable) => void;
}

/** Another build of the command line may be tested: RESIDUA_TEST_CLI has its main.js. */
const main = process.env.RESIDUA_TEST_CLI ?? join(root, 'dist', 'cli', 'main.js');

/** `residua ...args`, on the CPU. */
export function residua(args: string[], options: CliOptions = {}): Promise<Ended> {
  return runNode([main, ...args], options);
}

/** The same on a terminal of 80 columns, by `script` of util-linux: all that is written comes as stdout, and `input` is what is typed. */
export function residuaOnTerminal(args: string[], options: CliOptions): Promise<Ended> {
  const words = [process.execPath, main, ...args].map((word) => `'${word}'`).join(' ');
  return runProgram('script', ['-qec', `stty cols 80; exec ${words}`, '/dev/null'], options);
}

/** `node ...args` */
export function runNode(args: string[], options?: CliOptions): Promise<Ended> {
  return runProgram(process.execPath, args, options);
}

/** `program ...args` */
export function runProgram(
  program: string,
  args: string[],
  { cwd = root, env = {}, onStart, onStdout, input }: CliOptions = {},
): Promise<Ended> {
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, RESIDUA_DEVICE: 'cpu', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => {}); // a command may end before it has read everything
  if (input) input(child.stdin);
  else child.stdin.end();
  onStart?.(child);
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
