// The memory that a net's programs plan for, beside what the process uses; prints one JSON line.
// node --import tsx bench/memory/plan.ts [--model r18@96] [--task training] [--batch 256] [--precision float32]
import { backendOf } from '../../lib/device.js';
import { cpu, memory, setPrecision } from '../../lib/index.js';
import type { NativeProgram } from '../../lib/native.js';
import { integer, main, parseOptions, words } from '../arguments.js';
import { processBytes } from '../harness.js';
import { makeStep, type Task, tasks } from '../make-step.js';
import { modelOf } from '../models.js';

export interface MemoryPlan {
  model: string;
  task: Task;
  batch: number;
  precision: string;
  /** Peak of each program's plan: what lives only within a run. */
  arenaMB: number[];
  /** No plan could do with less. */
  lowerBoundMB: number[];
  /** Parameters, gradients, images and all else that lives between runs, when the step is done. */
  tensorsMB: number;
  /** What the process used before the net was made: Node, libraries. */
  rssBeforeMB: number;
  /** And when the steps were done. */
  rssMB: number;
  peakRssMB: number;
}

const megabytes = (bytes: number): number => Number((bytes / 1e6).toFixed(1));

await main(async () => {
  const values = parseOptions({
    model: { type: 'string', default: 'r18@96' },
    task: { type: 'string', default: 'training' },
    batch: { type: 'string', default: '256' },
    precision: { type: 'string', default: 'float32' },
  });
  const [task] = words('task', values.task, tasks) as [Task];
  const [precision] = words('precision', values.precision, ['float32', 'bfloat16']) as ['float32' | 'bfloat16'];
  const [model, batch] = [modelOf(values.model), integer('batch', values.batch)];
  const backend = backendOf(cpu());
  const rssBefore = processBytes('VmRSS');
  const programs: NativeProgram[] = [];
  const compile = backend.compile.bind(backend);
  const noting: typeof compile = (...args) => {
    const program = compile(...args);
    programs.push(program);
    return program;
  };
  Object.defineProperty(backend, 'compile', { value: noting });
  setPrecision(precision);
  const step = makeStep(model, task, batch);
  for (let i = 0; i < 3; i++) await step();
  const result: MemoryPlan = {
    model: values.model,
    task,
    batch,
    precision,
    arenaMB: programs.map(({ arenaBytes }) => megabytes(arenaBytes)),
    lowerBoundMB: programs.map(({ lowerBoundBytes }) => megabytes(lowerBoundBytes)),
    tensorsMB: megabytes(memory().bytes),
    rssBeforeMB: megabytes(rssBefore),
    rssMB: megabytes(processBytes('VmRSS')),
    peakRssMB: megabytes(processBytes('VmHWM')),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
});
