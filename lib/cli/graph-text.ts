// What `residua summary --graph` prints and draws: a net's programs as they are recorded, and after the passes.
import { record } from '../autograd/tape.js';
import { backendOf, type Device } from '../device.js';
import { recordWithLeaves } from '../graph/deferral.js';
import { optimise, targetOf } from '../graph/optimise.js';
import { PlannedProgram } from '../graph/planned-program.js';
import { printProgram } from '../graph/print.js';
import type { Program } from '../graph/program.js';
import { SoftmaxCrossEntropyLoss } from '../loss/index.js';
import type { Block } from '../nn/index.js';
import { Trainer } from '../optim/index.js';
import { zeros } from '../tensor/create.js';
import { graphSvg } from './graph-svg.js';

/** What is done as one piece, before and after the passes. */
interface Recorded {
  title: string;
  program: Program;
  optimised: Program;
  /** What its memory plan comes to, for people. */
  memory: string[];
}

/** The programs of one inference and of one training step of the net, for an input of this shape, as text. */
export function graphText(net: Block, input: readonly number[], device: Device): string {
  return recordedOf(net, input, device).map(sections).join('\n\n');
}

/** The same programs after the passes, as a picture. */
export function graphPicture(net: Block, input: readonly number[], device: Device): string {
  const drawings = recordedOf(net, input, device).map(({ title, program, optimised, memory }) => ({
    title: `${title}: ${optimised.nodes.length} ops, ${program.nodes.length} as recorded`,
    notes: memory,
    program: optimised,
  }));
  return graphSvg(drawings);
}

function recordedOf(net: Block, input: readonly number[], device: Device): Recorded[] {
  const x = zeros(input, { device });
  net.forward(x).dispose(); // settles the sizes that are inferred
  const labels = zeros([x.shape[0] as number], { dtype: 'int32', device });
  const loss = new SoftmaxCrossEntropyLoss();
  const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.05 });
  const step = (): void => {
    record(() => loss.forward(net.forward(x), labels)).backward();
    trainer.step(x.shape[0] as number);
  };
  return [recorded('Inference', device, () => void net.forward(x)), recorded('Training step', device, step)];
}

function recorded(title: string, device: Device, fn: () => void): Recorded {
  const backend = backendOf(device);
  const { program, leaves } = recordWithLeaves(backend, fn);
  const optimised = optimise(program, targetOf(backend));
  const values = leaves.map((leaf) => leaf.values);
  const identities = leaves.map(({ given }) => given);
  const planned = new PlannedProgram(backend, optimised, values, identities);
  try {
    planned.plan(values);
    return { title, program, optimised, memory: memoryText(planned) };
  } finally {
    planned.dispose();
    for (const { values } of leaves) values.dispose();
  }
}

function memoryText({ plannedBytes }: PlannedProgram): string[] {
  const { arena, lowerBound, prologueArena, prepared } = plannedBytes;
  const main = `memory plan: peak ${arena} bytes (no plan could do with less than ${lowerBound})`;
  if (prepared === 0) return [main];
  return [
    main,
    `computed once, while parameters stay as they are: ${prepared} bytes, with a peak of ${prologueArena} meanwhile`,
  ];
}

function sections({ title, program, optimised, memory }: Recorded): string {
  return [
    `${title}, as recorded (${program.nodes.length} ops):`,
    printProgram(program),
    '',
    `${title}, after the passes (${optimised.nodes.length} ops):`,
    printProgram(optimised),
    ...memory,
  ].join('\n');
}
