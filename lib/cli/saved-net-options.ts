// The options that tell what a file of weights does not, for the commands that use a trained net.
import { type Command, InvalidArgumentError } from 'commander';
import { modelNames } from '../models/index.js';
import { modelName } from './build-net.js';
import { imageSide } from './options.js';

/** Adds --model, --classes, --size, --mean and --std. */
export function addSavedNetOptions(command: Command): Command {
  return command
    .option(
      '--model <name>',
      `the net that the weights are of: ${modelNames[1]}, ${modelNames[0]}, ... (a run tells it)`,
      modelName,
    )
    .option('--classes <file>', "class names, one a line (default: the run's)")
    .option('--size <pixels>', "with --model: side of the images (default: the model's usual one)", imageSide)
    .option(
      '--mean <list>',
      "with --model: mean of each channel of the training images, such as 0.5,0.5,0.5 (default: ImageNet's for its nets)",
      numbers,
    )
    .option('--std <list>', 'with --mean: their standard deviations', positiveNumbers);
}

/** '0.5,0.5,0.5' */
function numbers(text: string): number[] {
  const values = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (!values.every(Number.isFinite)) throw new InvalidArgumentError('Expected numbers with commas between them.');
  return values;
}

function positiveNumbers(text: string): number[] {
  const values = numbers(text);
  if (!values.every((value) => value > 0)) throw new InvalidArgumentError('Expected numbers above 0.');
  return values;
}
