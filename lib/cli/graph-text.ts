// What `residua summary --graph` prints: a net's program as it is recorded, and after the passes.
import { record } from '../autograd/tape.js';
import { backendOf, type Device } from '../device.js';
import { recordProgram } from '../graph/deferral.js';
import { optimise } from '../graph/optimise.js';
import { printProgram } from '../graph/print.js';
import type { Program } from '../graph/program.js';
import { SoftmaxCrossEntropyLoss } from '../loss/index.js';
import type { Block } from '../nn/index.js';
import { Trainer } from '../optim/index.js';
import { zeros } from '../tensor/create.js';

/** The programs of one inference and of one training step of the net, for an input of this shape. */
export function graphText(net: Block, input: readonly number[], device: Device): string {
  const x = zeros(input, { device });
  net.forward(x).dispose(); // settles the sizes that are inferred
  const inference = recordProgram(backendOf(device), () => void net.forward(x));
  return [sections('Inference', inference), sections('Training step', trainingProgram(net, x, device))].join('\n\n');
}

function trainingProgram(net: Block, x: ReturnType<typeof zeros>, device: Device): Program {
  const labels = zeros([x.shape[0] as number], { dtype: 'int32', device });
  const loss = new SoftmaxCrossEntropyLoss();
  const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.05 });
  return recordProgram(backendOf(device), () => {
    record(() => loss.forward(net.forward(x), labels)).backward();
    trainer.step(x.shape[0] as number);
  });
}

function sections(title: string, program: Program): string {
  const optimised = optimise(program);
  const count = (each: Program): string => `${each.nodes.length} ops`;
  return [
    `${title}, as recorded (${count(program)}):`,
    printProgram(program),
    '',
    `${title}, after the passes (${count(optimised)}):`,
    printProgram(optimised),
  ].join('\n');
}
