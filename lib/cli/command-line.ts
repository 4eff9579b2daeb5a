// Commands as a person would type them here, for messages that name the next thing to do.
import { basename, relative } from 'node:path';

/** `residua train` with these arguments, in the form in which this process was started. */
export function trainCommandLine(...args: readonly string[]): string {
  const isStart = process.env.npm_lifecycle_event === 'start';
  return isStart ? ['npm start --', ...args.map(quoted)].join(' ') : commandLine('train', ...args);
}

/** A command of residua with its arguments. */
export function commandLine(...args: readonly string[]): string {
  return [programCommand(), ...args.map(quoted)].join(' ');
}

/** `residua` where it is installed, else the script with what runs it. */
function programCommand(): string {
  const script = process.argv[1] ?? 'residua';
  if (basename(script) === 'residua') return 'residua';
  return `${script.endsWith('.ts') ? 'npx tsx' : 'node'} ${quoted(relative(process.cwd(), script))}`;
}

/** As a shell needs it. */
function quoted(text: string): string {
  return /^[\w./:=,@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
