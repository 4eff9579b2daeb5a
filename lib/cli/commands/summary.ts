// residua summary: a net's layers with their output shapes and numbers of parameters.
import { Argument, Command } from 'commander';
import { cpu } from '../../device.js';
import { chapterResNet18 } from '../../models/index.js';
import { graphText } from '../graph-text.js';
import { imageShape } from '../options.js';

export function summaryCommand(): Command {
  return new Command('summary')
    .description('Prints the layers of a net: output shapes and numbers of parameters.')
    .addArgument(new Argument('<model>', "the net: 'chapter' is the chapter's ResNet-18").choices(['chapter']))
    .option('--input <shape>', 'batch x channels x height x width of the input', imageShape, [1, 1, 224, 224])
    .option('--graph', 'print the programs of an inference and of a training step, before and after the passes')
    .action(summary);
}

function summary(_model: string, { input, graph }: { input: number[]; graph?: boolean }): void {
  const net = chapterResNet18();
  net.initialize({ device: cpu() });
  console.log(graph ? graphText(net, input, cpu()) : net.summary(input));
}
