// residua eval: accuracy and loss of saved weights on Fashion-MNIST's test images.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { DataLoader } from '../../data/data-loader.js';
import { fashionMnist } from '../../data/fashion-mnist.js';
import { currentDevice, type Device } from '../../device.js';
import { chapterResNet18 } from '../../models/index.js';
import { checkPrecisionOn, type Precision, setPrecision } from '../../precision.js';
import { type Evaluation, evaluate } from '../evaluation.js';
import { count, percent } from '../format.js';
import { deviceName, imageSide, positiveInteger, precisionOption } from '../options.js';
import { nativeSize } from '../recipe.js';
import { table } from '../table.js';

interface EvalOptions {
  resize?: number;
  batchSize: number;
  device?: Device;
  precision: Precision;
  data?: string;
  limit?: number;
  json?: boolean;
}

export function evalCommand(): Command {
  return new Command('eval')
    .description("Tests saved weights of the chapter's ResNet-18 on Fashion-MNIST's 10,000 test images.")
    .argument('<weights>', 'a file written by residua train (weights.safetensors)')
    .option(
      '--resize <pixels>',
      'side of the images (default: that of the run, from history.json beside the weights; else 28)',
      imageSide,
    )
    .option('--batch-size <n>', 'images in a batch', positiveInteger, 256)
    .option('--device <name>', "'cpu', 'gpu' or 'gpu(N)' (default: RESIDUA_DEVICE, else cpu)", deviceName)
    .addOption(precisionOption())
    .option('--data <folder>', 'folder of the data set (default: RESIDUA_DATA, then the usual places)')
    .option('--limit <n>', 'only the first n test images', positiveInteger)
    .option('--json', 'print JSON')
    .action(evalWeights);
}

async function evalWeights(weights: string, options: EvalOptions): Promise<void> {
  const device = options.device ?? currentDevice();
  checkPrecisionOn(device, options.precision);
  setPrecision(options.precision);
  const net = chapterResNet18();
  net.initialize({ device });
  await net.loadParameters(weights);
  const size = options.resize ?? sizeOfRun(weights) ?? nativeSize;
  const all = await fashionMnist({ train: false, root: options.data });
  const images = options.limit === undefined ? all : all.take(options.limit);
  const loader = new DataLoader(images, { batchSize: options.batchSize, resize: size, device });
  const evaluation = await evaluate(net, loader);
  console.log(
    options.json ? asJson(evaluation, weights, size, options.precision, device) : asText(evaluation, size, device),
  );
}

/** The image size in the history.json of the run that wrote the weights; undefined where there is none. */
function sizeOfRun(weights: string): number | undefined {
  const file = join(dirname(weights), 'history.json');
  if (!existsSync(file)) return undefined;
  try {
    const size = JSON.parse(readFileSync(file, 'utf8'))?.config?.resize;
    return Number.isSafeInteger(size) && size > 0 ? size : undefined;
  } catch {
    return undefined; // another program's history.json
  }
}

function asJson(
  { images, loss, accuracy, perClass }: Evaluation,
  weights: string,
  resize: number,
  precision: Precision,
  device: Device,
): string {
  return JSON.stringify({ weights, device: device.name, precision, resize, images, loss, accuracy, perClass }, null, 2);
}

function asText({ images, loss, accuracy, perClass }: Evaluation, size: number, device: Device): string {
  const rows = perClass.map((entry) => [
    entry.name,
    count(entry.images),
    count(entry.correct),
    entry.images ? percent(entry.correct / entry.images, 1) : '-',
  ]);
  return [
    `${count(images)} test images of ${size}x${size} pixels on ${device.name}`,
    `loss ${loss.toFixed(4)}, test acc ${accuracy.toFixed(4)}`,
    '',
    table(['class', 'images', 'correct', 'accuracy'], rows),
  ].join('\n');
}
