// residua summary: a net's layers with their output shapes, numbers of parameters and multiply-adds.
import { writeFileSync } from 'node:fs';
import { Argument, Command, InvalidArgumentError } from 'commander';
import { cpu } from '../../device.js';
import { ConfigError } from '../../errors.js';
import { byName, type ResNetVersion } from '../../models/index.js';
import { chapterModel, modelName } from '../build-net.js';
import { graphPicture, graphText } from '../graph-text.js';
import { netSummary } from '../net-summary.js';
import { choiceOption, inputShape, positiveInteger } from '../options.js';

interface SummaryCommandOptions {
  input?: number[];
  version?: ResNetVersion;
  classes?: number;
  depth?: number;
  graph?: boolean;
  graphSvg?: string;
}

export function summaryCommand(): Command {
  return new Command('summary')
    .description('Prints the layers of a net: output shapes, numbers of parameters and multiply-adds.')
    .addArgument(
      new Argument(
        '<model>',
        "the net: 'chapter' is the chapter's ResNet-18; others are resnet50, cifar-resnet20, resnext50-32x4d, ...",
      ).argParser(modelName),
    )
    .option(
      '--input <shape>',
      '[batch x] channels x height x width of the input (default: one image of the size that the net is for)',
      inputShape,
    )
    .addOption(choiceOption('--version <version>', 'form of the residual blocks', ['v1', 'v1.5', 'v2']))
    .option('--classes <n>', 'outputs (default: 1000; 10 for the nets of small images)', positiveInteger)
    .option('--depth <levels>', "levels of layers to show, or 'all' (default: 1, the stages; chapter: all)", levels)
    .option('--graph', 'print the programs of an inference and of a training step, before and after the passes')
    .option('--graph-svg <file>', 'draw the programs after the passes into an SVG file')
    .action(summary);
}

function summary(model: string, { version, classes, ...options }: SummaryCommandOptions): void {
  const isChapter = model === chapterModel;
  const input = options.input ?? defaultInput(model);
  const inChannels = isChapter ? undefined : input[1];
  const given = Object.entries({ version, classes, inChannels }).filter(([, value]) => value !== undefined);
  const net = byName(model, Object.fromEntries(given));
  if (options.graph || options.graphSvg) net.initialize({ device: cpu() });
  if (options.graph) console.log(graphText(net, input, cpu()));
  if (options.graphSvg) writePicture(options.graphSvg, graphPicture(net, input, cpu()));
  if (!options.graph && !options.graphSvg) console.log(netSummary(net, model, input, options.depth));
}

function writePicture(file: string, svg: string): void {
  try {
    writeFileSync(file, svg);
  } catch (error) {
    throw new ConfigError(
      `--graph-svg expected a file that can be written, got '${file}': ${(error as Error).message}`,
      {
        file,
      },
    );
  }
  console.log(`Wrote ${file}`);
}

/** One image of the kind that the net was made for. */
function defaultInput(model: string): number[] {
  if (model === chapterModel) return [1, 1, 224, 224];
  return model.startsWith('cifar-') ? [1, 3, 32, 32] : [1, 3, 224, 224];
}

function levels(text: string): number {
  if (text === 'all') return Infinity;
  try {
    return positiveInteger(text);
  } catch {
    throw new InvalidArgumentError("Expected a whole number of at least 1, or 'all'.");
  }
}
