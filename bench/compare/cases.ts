// What `compare` measures: a case is a model, a task, a batch size, a precision and a number of threads.
import { ArgumentError, integer, integers, parseOptions, words } from '../arguments.js';
import { type Task, tasks } from '../make-step.js';
import { modelOf } from '../models.js';

export const precisions = ['float32', 'bfloat16'] as const;
export type BenchPrecision = (typeof precisions)[number];
export const peers = ['eager', 'compiled', 'eager-default-malloc', 'compiled-default-malloc'] as const;
export type Peer = (typeof peers)[number];

export interface Case {
  model: string;
  task: Task;
  batch: number;
  precision: BenchPrecision;
  threads: number;
}

export interface CompareOptions {
  cases: Case[];
  rounds: number;
  steps: number;
  minSeconds: number;
  device: string;
  peers: Peer[];
  tensorFlowJs: boolean;
  out: string;
}

/** Batches that are measured where --batch does not say which. */
const usualBatches: Readonly<Record<string, Partial<Record<Task, number[]>>>> = {
  'r18@96': { training: [256], inference: [256, 1] },
  'r18@28': { training: [256] },
  'resnet50@224': { training: [16] },
};

export const usualModels = Object.keys(usualBatches);

const spec = {
  models: { type: 'string', default: usualModels.join() },
  tasks: { type: 'string', default: tasks.join() },
  batch: { type: 'string', default: '' },
  precisions: { type: 'string', default: precisions.join() },
  threads: { type: 'string', default: '2' },
  rounds: { type: 'string', default: '2' },
  steps: { type: 'string', default: '7' },
  'min-seconds': { type: 'string', default: '2' },
  device: { type: 'string', default: 'cpu' },
  peers: { type: 'string', default: 'eager,compiled' },
  'tensorflow-js': { type: 'boolean', default: false },
  out: { type: 'string', default: '' },
} as const;

/** Throws ArgumentError for what is unknown or out of range, and where nothing is left to measure. */
export function compareOptions(args?: readonly string[]): CompareOptions {
  const values = parseOptions(spec, args);
  if (!/^(cpu|gpu\(\d+\))$/.test(values.device))
    throw new ArgumentError(`Expected --device to be cpu or 'gpu(N)', got '${values.device}'.`);
  const batches = values.batch === '' ? null : integers('batch', values.batch);
  const cases: Case[] = [];
  for (const model of values.models.split(',')) {
    modelOf(model);
    for (const task of words('tasks', values.tasks, tasks))
      for (const batch of batches ?? usualBatches[model]?.[task] ?? [])
        for (const threads of integers('threads', values.threads))
          for (const precision of words('precisions', values.precisions, precisions))
            cases.push({ model, task, batch, precision, threads });
  }
  if (cases.length === 0)
    throw new ArgumentError(
      `Without --batch nothing is measured of ${values.models} for ${values.tasks}: name a batch.`,
    );
  return {
    cases,
    rounds: integer('rounds', values.rounds),
    steps: integer('steps', values.steps),
    minSeconds: integer('min-seconds', values['min-seconds'], 0),
    device: values.device,
    peers: values.peers === 'none' ? [] : words('peers', values.peers, peers),
    tensorFlowJs: values['tensorflow-js'],
    out: values.out,
  };
}

/** "R18 at 96x96, training, batch 256, float32, 2 threads" */
export const titleOf = ({ model, task, batch, precision, threads }: Case): string =>
  `${modelOf(model).title}, ${task}, batch ${batch}, ${precision}, ${threads} thread${threads === 1 ? '' : 's'}`;

/** What tells cases apart. */
export const keyOf = ({ model, task, batch, precision, threads }: Case): string =>
  [model, task, batch, precision, threads].join(' ');
