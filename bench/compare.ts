// Training (or inference) steps of residua and PyTorch, in turn in one run; prints a table and writes
// bench/results/<task>-<device>.json. Compared within one precision, with PyTorch's best configuration.
// npm run bench -- compare [--rounds 2] [--steps 7] [--sizes 96,28] [--device cpu] [--precisions float32]
//   [--task training]
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  benchFolder,
  median,
  pythonWithTorch,
  runJson,
  runScript,
  type StepRun,
  tunedMalloc,
  writeResult,
} from './harness.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '2' },
    steps: { type: 'string', default: '7' },
    sizes: { type: 'string', default: '96,28' },
    batch: { type: 'string', default: '256' },
    device: { type: 'string', default: 'cpu' },
    task: { type: 'string', default: 'training' },
    precisions: { type: 'string', default: '' },
    out: { type: 'string', default: '' },
    'default-malloc': { type: 'boolean', default: false },
  },
});
const batch = Number(values.batch);
const onGpu = values.device !== 'cpu';
const precisions = (values.precisions || (onGpu ? 'float32,bfloat16' : 'float32')).split(',');

interface Contestant {
  name: string;
  run: (args: string[]) => StepRun | null;
}

const contestants: Contestant[] = [
  { name: 'residua', run: (args) => runScript<StepRun>('step.ts', [...args, '--device', values.device]) },
];
const python = pythonWithTorch();
if (python) {
  const script = join(benchFolder, 'baselines', 'pytorch_step.py');
  const pytorch = (mode: string, env: Record<string, string>) => (args: string[]) =>
    runJson<StepRun>(python, [script, '--mode', mode, '--device', onGpu ? 'cuda' : 'cpu', ...args], env);
  contestants.push({ name: 'PyTorch eager, channels_last, tuned malloc', run: pytorch('eager', tunedMalloc) });
  contestants.push({ name: 'PyTorch compiled, channels_last, tuned malloc', run: pytorch('compile', tunedMalloc) });
  if (values['default-malloc'])
    contestants.push({ name: 'PyTorch eager, channels_last, default malloc', run: pytorch('eager', {}) });
} else {
  process.stderr.write('PyTorch is left out: no python3 (or RESIDUA_PYTHON) with torch.\n');
}

const models: Record<string, unknown>[] = [];
const sizes = values.sizes.split(',').map(Number);
for (const [size, precision] of sizes.flatMap((size) => precisions.map((precision) => [size, precision] as const))) {
  const runs = new Map(contestants.map(({ name }) => [name, [] as StepRun[]]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const { name, run } of contestants) {
      const args = ['--task', values.task, '--size', String(size), '--batch', String(batch), '--steps', values.steps];
      const result = run([...args, '--precision', precision]);
      if (result) runs.get(name)?.push(result);
    }
  }
  models.push(summarise(`R18@${size} ${values.task}, batch ${batch}, ${precision}`, runs));
}
const result = { rounds: Number(values.rounds), steps: Number(values.steps), models };
writeResult(`${values.task}-${onGpu ? 'gpu' : 'cpu'}`, result, values.out);

/** Images per second from the median of all rounds' steps, peak RSS, and the ratio to PyTorch's best. */
function summarise(title: string, runs: Map<string, StepRun[]>): Record<string, unknown> {
  const rows = [...runs].flatMap(([name, all]) => {
    if (all.length === 0) return [];
    const seconds = all.flatMap((run) => run.seconds);
    return [
      {
        name,
        library: all[0]!.library,
        imagesPerSecond: Number((batch / median(seconds)).toFixed(1)),
        ofEachRound: all.map((run) => Number((batch / median(run.seconds)).toFixed(1))),
        ...(all[0]!.peakDeviceBytes && { peakDeviceGB: Number((all[0]!.peakDeviceBytes / 1e9).toFixed(2)) }),
        ...(all[0]!.eventLoopDelayMs !== undefined && {
          eventLoopDelayMs: Number(Math.max(...all.map((run) => run.eventLoopDelayMs ?? 0)).toFixed(1)),
          firstStepSeconds: all.map((run) => Number((run.firstStepSeconds ?? 0).toFixed(2))),
        }),
        peakRssGB: Number((Math.max(...all.map((run) => run.peakRssBytes)) / 1e9).toFixed(2)),
      },
    ];
  });
  const ours = rows.find((row) => row.name === 'residua')?.imagesPerSecond;
  const peers = rows.filter((row) => row.name !== 'residua').map((row) => row.imagesPerSecond);
  const ratio = ours && peers.length > 0 ? Number((ours / Math.max(...peers)).toFixed(2)) : null;
  process.stdout.write(`\n${title}\n`);
  for (const row of rows)
    process.stdout.write(
      `  ${row.name.padEnd(46)} ${String(row.imagesPerSecond).padStart(8)} images/s   ${row.peakRssGB} GB\n`,
    );
  if (ratio) process.stdout.write(`  residua against PyTorch's best: ${ratio}x\n`);
  return { title, rows, ratioToBestPyTorch: ratio };
}
