// Runs the steps of a check on a GPU machine one after the other: each has a time limit and leaves its output in a
// file; a step that fails does not keep the others from running. The table comes last.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * @typedef {object} Step
 * @property {string} name   also names the file of its output
 * @property {string} command   for bash
 * @property {number} seconds   time limit
 * @property {boolean} [required]   later steps are left out where it fails
 * @property {Record<string, string>} [env]
 */

/** Runs the steps; returns the exit status. @param {Step[]} steps @param {string} out */
export function runSteps(steps, out) {
  mkdirSync(out, { recursive: true });
  const rows = [];
  let stopped = '';
  for (const step of steps) {
    rows.push(stopped ? { name: step.name, result: `left out: ${stopped} failed`, seconds: 0 } : runStep(step, out));
    if (step.required && rows.at(-1).result !== 'done') stopped ||= step.name;
  }
  writeFileSync(join(out, 'steps.json'), `${JSON.stringify(rows, null, 2)}\n`);
  for (const { name, result, seconds } of rows)
    process.stdout.write(`${name.padEnd(20)} ${String(seconds.toFixed(1)).padStart(7)} s  ${result}\n`);
  return rows.every(({ result }) => result === 'done') ? 0 : 1;
}

function runStep({ name, command, seconds, env = {} }, out) {
  process.stdout.write(`== ${name}\n`);
  const start = performance.now();
  const { status, signal, stdout, stderr } = spawnSync('bash', ['-c', command], {
    cwd: root,
    env: { ...process.env, ...env, OUT: out },
    timeout: seconds * 1000,
    killSignal: 'SIGKILL',
    maxBuffer: 1 << 28,
    encoding: 'utf8',
  });
  const output = `$ ${command}\n${stdout ?? ''}${stderr ?? ''}`;
  writeFileSync(join(out, `${name}.txt`), output);
  process.stdout.write(`${output.trimEnd().split('\n').slice(-12).join('\n')}\n`);
  const result = status === 0 ? 'done' : signal ? `over its limit of ${seconds} s` : `status ${status}`;
  return { name, result, seconds: (performance.now() - start) / 1000 };
}

/** The folder after --out, default gpu-results. */
export function outFolder() {
  const at = process.argv.indexOf('--out');
  return at >= 0 && process.argv[at + 1] ? process.argv[at + 1] : join(root, 'gpu-results');
}
