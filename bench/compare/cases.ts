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

/** Every depth, and each kind of it but the v1 and v2 that cost the same as another. */
export const familyModels = [
  ...['resnet18', 'resnet34', 'resnet50', 'resnet101', 'resnet152'],
  ...['resnet18-v2', 'resnet34-v2', 'resnet50-v1', 'resnet50-v2', 'resnet101-v2', 'resnet152-v2'],
  ...['wide-resnet50-2', 'wide-resnet101-2', 'resnext50-32x4d', 'resnext101-32x8d'],
  ...['cifar-resnet20', 'cifar-resnet32', 'cifar-resnet44', 'cifar-resnet56', 'cifar-resnet110'],
  ...['cifar-resnet164', 'cifar-resnet1001'],
].map((name) => `${name}@${name.startsWith('cifar') ? 32 : 224}`);

/** What is measured, and how, where the options do not say. */
interface Usual {
  models: string;
  peers: string;
  rounds: string;
  steps: string;
  batches: (model: string, task: Task) => readonly number[];
}

const ofCompare: Usual = {
  models: usualModels.join(),
  peers: 'eager,compiled',
  rounds: '2',
  steps: '15',
  batches: (model, task) => usualBatches[model]?.[task] ?? [],
};

/** The papers' 128 of CIFAR's images, as far as they fit a usual machine's memory. */
const familyBatch = (model: string): number => (model.endsWith('@32') && !model.includes('1001') ? 128 : 16);

export const ofFamily: Usual = {
  models: familyModels.join(),
  peers: 'eager', // PyTorch compiles a deep net for minutes
  rounds: '1',
  steps: '5',
  batches: (model) => (familyModels.includes(model) ? [familyBatch(model)] : []),
};

const text = (value: string) => ({ type: 'string', default: value }) as const;

const specOf = ({ models, peers, rounds, steps }: Omit<Usual, 'batches'>) =>
  ({
    models: text(models),
    tasks: text(tasks.join()),
    batch: text(''),
    precisions: text(precisions.join()),
    threads: text('2'),
    rounds: text(rounds),
    steps: text(steps),
    'min-seconds': text('2'),
    device: text('cpu'),
    peers: text(peers),
    'tensorflow-js': { type: 'boolean', default: false },
    out: text(''),
  }) as const;

/** Throws ArgumentError for what is unknown or out of range, and where nothing is left to measure. */
export function compareOptions(args?: readonly string[], { batches: usual, ...defaults } = ofCompare): CompareOptions {
  const values = parseOptions(specOf(defaults), args);
  if (!/^(cpu|gpu\(\d+\))$/.test(values.device))
    throw new ArgumentError(`Expected --device to be cpu or 'gpu(N)', got '${values.device}'.`);
  const batches = values.batch === '' ? null : integers('batch', values.batch);
  const cases: Case[] = [];
  for (const model of values.models.split(',')) {
    modelOf(model);
    for (const task of words('tasks', values.tasks, tasks))
      for (const batch of batches ?? usual(model, task))
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
