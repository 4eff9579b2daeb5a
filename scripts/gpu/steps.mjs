// Runs the steps of a check on a GPU machine one after the other: each has a time limit and leaves its output in a
// file; a step that fails does not keep the others from running. The table comes last, and as steps.json.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * @typedef {object} Step
 * @property {string} name   also names the file of its output
 * @property {string} command   for bash; $OUT is the folder of results
 * @property {string} [emulated]   the command with --emulation, which tries the script out without a GPU; none: left out
 * @property {number} seconds   time limit
 * @property {boolean} [required]   later steps are left out where it fails
 * @property {Record<string, string>} [env]
 */

/** --out DIR (default gpu-results), --emulation. Anything else is a usage error. */
export function stepOptions() {
  try {
    const { values } = parseArgs({
      options: {
        out: { type: 'string', default: join(root, 'gpu-results') },
        emulation: { type: 'boolean', default: false },
      },
    });
    return { ...values, out: resolve(values.out) };
  } catch (error) {
    process.stderr.write(`${error.message}\nusage: [--out DIR] [--emulation]\n`);
    process.exit(2);
  }
}

/** Runs the steps; returns the exit status. @param {Step[]} steps @param {{out: string, emulation: boolean}} options */
export function runSteps(steps, { out, emulation }) {
  mkdirSync(out, { recursive: true });
  const rows = [];
  let stopped = '';
  for (const step of steps) {
    const row = stopped ? leftOut(step, `${stopped} failed`) : runOne(step, out, emulation);
    rows.push(row);
    if (step.required && row.result.startsWith('failed')) stopped ||= step.name;
  }
  writeFileSync(join(out, 'steps.json'), `${JSON.stringify(rows, null, 2)}\n`);
  process.stdout.write('\n');
  for (const { name, result, seconds } of rows)
    process.stdout.write(`${name.padEnd(20)} ${seconds.toFixed(1).padStart(7)} s  ${result}\n`);
  return rows.some(({ result }) => result.startsWith('failed')) || stopped ? 1 : 0;
}

const leftOut = ({ name }, why) => ({ name, result: `left out: ${why}`, seconds: 0 });

function runOne(step, out, emulation) {
  const command = emulation ? step.emulated : step.command;
  if (command === undefined) return leftOut(step, 'needs a GPU');
  process.stdout.write(`== ${step.name}\n`);
  const start = performance.now();
  const { status, signal, stdout, stderr } = spawnSync('bash', ['-o', 'pipefail', '-c', command], {
    cwd: root,
    env: {
      ...process.env,
      ...(emulation && { RESIDUA_CUDA_LIBRARY: 'emulation' }),
      PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH}`,
      ...step.env,
      OUT: out,
    },
    timeout: step.seconds * 1000,
    killSignal: 'SIGKILL',
    maxBuffer: 1 << 28,
    encoding: 'utf8',
  });
  const output = `$ ${command}\n${stdout ?? ''}${stderr ?? ''}`;
  writeFileSync(join(out, `${step.name}.txt`), output);
  process.stdout.write(`${output.trimEnd().split('\n').slice(-12).join('\n')}\n`);
  const result =
    status === 0 ? 'done' : `failed: ${signal ? `ended after ${step.seconds} s or by ${signal}` : `status ${status}`}`;
  return { name: step.name, result, seconds: (performance.now() - start) / 1000 };
}
