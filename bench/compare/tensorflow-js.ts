// TensorFlow.js as a peer, installed on request into an ignored folder. Its native binding trains and infers where its binary
// can be downloaded; else the wasm backend infers (it has no gradient of convolutions) and the plain JavaScript one trains.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { benchFolder, type Outcome, root, runJson, type StepRun } from '../harness.js';
import type { Case } from './cases.js';
import type { Contestant } from './contestants.js';

const folder = join(root, '.cache', 'tensorflow-js');
const packages = {
  node: ['@tensorflow/tfjs-node@4.22.0'],
  wasm: ['@tensorflow/tfjs@4.22.0', '@tensorflow/tfjs-backend-wasm@4.22.0'],
};
const limitSeconds = 240;

/** Installs packages into a folder of their own; why it failed, or null. */
function install(kind: keyof typeof packages): string | null {
  const prefix = join(folder, kind);
  const done = join(prefix, 'installed');
  if (existsSync(done)) return null;
  mkdirSync(prefix, { recursive: true });
  writeFileSync(join(prefix, 'package.json'), '{ "private": true }\n');
  const options = ['--no-audit', '--no-fund', '--loglevel=error']; // `npm run -s` would have it fail without a word
  const result = spawnSync('npm', ['install', ...options, ...packages[kind]], {
    cwd: prefix,
    encoding: 'utf8',
    timeout: 600_000,
  });
  if (result.status === 0) {
    writeFileSync(done, '');
    return null;
  }
  const text = result.error?.message ?? /\bError: .*/.exec(result.stderr)?.[0] ?? result.stderr.slice(-300);
  return `npm install ${packages[kind].join(' ')} failed: ${text}`;
}

function runWith(kind: keyof typeof packages, backend: string, each: Case, batch: number, steps: number) {
  const script = join(benchFolder, 'baselines', 'tensorflow_js.mjs');
  const args = [script, '--packages', join(folder, kind), '--backend', backend, '--task', each.task];
  args.push('--model', each.model, '--batch', String(batch), '--steps', String(steps));
  return runJson<StepRun>(process.execPath, args, {}, limitSeconds);
}

/** Both ways to run it. Each says in every case why it does not run, where it does not. */
export function tensorFlowJs(): Contestant[] {
  const missing = { node: install('node'), wasm: install('wasm') };
  for (const reason of Object.values(missing)) if (reason) process.stderr.write(`${reason}\n`);
  const guarded =
    (kind: keyof typeof packages, run: (each: Case) => Outcome<StepRun>) =>
    (each: Case): Outcome<StepRun> => {
      if (missing[kind]) return { failed: missing[kind] };
      if (each.precision !== 'float32') return { failed: 'TensorFlow.js has no 16-bit floats' };
      if (!each.model.startsWith('r18@')) return { failed: 'the net is written for the chapter’s ResNet-18 alone' };
      return run(each);
    };
  return [
    {
      name: 'TensorFlow.js, native binding',
      once: true,
      run: guarded('node', (each) => runWith('node', 'tensorflow', each, each.batch, 2)),
    },
    {
      name: 'TensorFlow.js, wasm (inference) or plain JavaScript (training)',
      once: true,
      run: guarded('wasm', (each) =>
        each.task === 'inference'
          ? runWith('wasm', 'wasm', each, Math.min(each.batch, 16), 7)
          : runWith('wasm', 'cpu', each, 1, 1),
      ),
    },
  ];
}
