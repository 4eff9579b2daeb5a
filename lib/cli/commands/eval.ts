// residua eval: accuracy and loss of saved weights on Fashion-MNIST's test images.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { DataLoader } from '../../data/data-loader.js';
import { fashionMnist, fashionMnistLabels } from '../../data/fashion-mnist.js';
import { currentDevice, type Device, setTuning } from '../../device.js';
import type { Block } from '../../nn/index.js';
import { checkPrecisionOn, type Precision, setPrecision } from '../../precision.js';
import { chapterModel, modelName, netOf, stemFor } from '../build-net.js';
import { type Evaluation, evaluate } from '../evaluation.js';
import { count, percent } from '../format.js';
import { type NetRecord, netRecordIn } from '../net-record.js';
import { deviceName, imageSide, noTuneOption, positiveInteger, precisionOption } from '../options.js';
import { nativeSize } from '../recipe.js';
import { table } from '../table.js';

interface EvalOptions {
  model?: string;
  resize?: number;
  batchSize: number;
  device?: Device;
  precision: Precision;
  tune: boolean;
  data?: string;
  limit?: number;
  json?: boolean;
}

export function evalCommand(): Command {
  return new Command('eval')
    .description("Tests saved weights on Fashion-MNIST's 10,000 test images.")
    .argument('<weights>', 'a file written by residua train (weights.safetensors)')
    .option('--model <name>', "the net (default: that of the run; else the chapter's)", modelName)
    .option(
      '--resize <pixels>',
      'side of the images (default: that of the run, from history.json beside the weights; else 28)',
      imageSide,
    )
    .option('--batch-size <n>', 'images in a batch', positiveInteger, 256)
    .option('--device <name>', "'cpu', 'gpu' or 'gpu(N)' (default: RESIDUA_DEVICE, else cpu)", deviceName)
    .addOption(precisionOption())
    .addOption(noTuneOption())
    .option('--data <folder>', 'folder of the data set (default: RESIDUA_DATA, then the usual places)')
    .option('--limit <n>', 'only the first n test images', positiveInteger)
    .option('--json', 'print JSON')
    .action(evalWeights);
}

async function evalWeights(weights: string, options: EvalOptions): Promise<void> {
  const device = options.device ?? currentDevice();
  checkPrecisionOn(device, options.precision);
  setPrecision(options.precision);
  setTuning(options.tune);
  const run = readRun(weights);
  const size = options.resize ?? run.size ?? nativeSize;
  const net = netFor(options.model, run.net, size);
  net.initialize({ device });
  await net.loadParameters(weights);
  const all = await fashionMnist({ train: false, root: options.data });
  const images = options.limit === undefined ? all : all.take(options.limit);
  const loader = new DataLoader(images, { batchSize: options.batchSize, resize: size, device });
  const evaluation = await evaluate(net, loader);
  console.log(
    options.json ? asJson(evaluation, weights, size, options.precision, device) : asText(evaluation, size, device),
  );
}

/** The net that was asked for, else that of the run, else the chapter's. Its inputs have one channel, `size` pixels square. */
function netFor(model: string | undefined, run: NetRecord | undefined, size: number): Block {
  if (model === undefined && run) return netOf(run);
  const name = model ?? chapterModel;
  const classes = fashionMnistLabels.length;
  return netOf({ model: name, stem: stemFor(name, size), classes, inputShape: [1, size, size] });
}

/** What the history.json of the run that wrote the weights tells: the image size, the net. Nothing where there is none. */
function readRun(weights: string): { size?: number; net?: NetRecord } {
  const file = join(dirname(weights), 'history.json');
  if (!existsSync(file)) return {};
  let history: { config?: { resize?: number }; net?: unknown } | null;
  try {
    history = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return {}; // another program's history.json
  }
  const size = history?.config?.resize;
  return {
    size: Number.isSafeInteger(size) && (size as number) > 0 ? size : undefined,
    net: history?.net === undefined ? undefined : netRecordIn(file, history),
  };
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
