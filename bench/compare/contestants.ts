// Who runs a case: residua, PyTorch in several configurations, TensorFlow.js. Each in a process of its own.
import { join } from 'node:path';
import { runCompiled } from '../compiled.js';
import { benchFolder, type Outcome, pythonWithTorch, runJson, type StepRun, tunedMalloc } from '../harness.js';
import type { Case, CompareOptions, Peer } from './cases.js';
import { tensorFlowJs } from './tensorflow-js.js';

export interface Contestant {
  name: string;
  /** Rounds after the first failure, or after one where `once`, are left out. */
  once: boolean;
  /** Comes before the first round: what is done once on a machine. */
  prepare?: (each: Case) => void;
  run: (each: Case) => Outcome<StepRun>;
}

export const ownName = 'residua';

const peerNames: Readonly<Record<Peer, string>> = {
  eager: 'PyTorch eager, channels_last, tuned malloc',
  compiled: 'PyTorch compiled, channels_last, tuned malloc',
  'eager-default-malloc': 'PyTorch eager, channels_last, default malloc',
  'compiled-default-malloc': 'PyTorch compiled, channels_last, default malloc',
};

/** residua first, then the peers that are there; the reason for those that are not goes to stderr. */
export function contestantsOf(options: CompareOptions): Contestant[] {
  const common = ({ model, task, batch, precision, threads }: Case): string[] => [
    ...['--model', model, '--task', task, '--batch', String(batch), '--precision', precision],
    ...['--threads', String(threads), '--steps', String(options.steps), '--min-seconds', String(options.minSeconds)],
  ];
  const runOwn = (args: readonly string[], env = {}) =>
    runCompiled<StepRun>('step.ts', [...args, '--device', options.device], env);
  const list: Contestant[] = [
    {
      name: ownName,
      once: false,
      // The first step of a shape on a machine times algorithms, with memory of their own, and keeps the choices in a file: here also those
      // that were made while other programs used the cores, or the measured steps would time them again.
      prepare: (each) =>
        void runOwn([...common(each), '--steps', '1', '--warmup', '0', '--min-seconds', '0'], { RESIDUA_TUNE: 'keep' }),
      run: (each) => runOwn(common(each)),
    },
  ];
  const python = options.peers.length > 0 ? pythonWithTorch() : null;
  if (options.peers.length > 0 && !python)
    process.stderr.write('PyTorch is left out: no python3 (or RESIDUA_PYTHON) with torch.\n');
  const script = join(benchFolder, 'baselines', 'pytorch_step.py');
  for (const peer of python ? options.peers : []) {
    const [mode, isTuned] = [peer.startsWith('eager') ? 'eager' : 'compile', !peer.endsWith('default-malloc')];
    const device = options.device === 'cpu' ? 'cpu' : 'cuda';
    list.push({
      name: peerNames[peer],
      once: !isTuned, // several times slower: once is enough to know that
      run: (each) =>
        runJson<StepRun>(
          python as string,
          [script, '--mode', mode, '--device', device, ...common(each)],
          isTuned ? tunedMalloc : {},
        ),
    });
  }
  if (options.tensorFlowJs) list.push(...tensorFlowJs());
  return list;
}
