// residua eval: accuracy and loss of a trained net on labelled images.
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Command } from 'commander';
import { currentDevice, type Device, setTuning } from '../../device.js';
import { NumericError } from '../../errors.js';
import { checkPrecisionOn, type Precision } from '../../precision.js';
import { evaluateClasses } from '../../train/index.js';
import { type EvaluationChoice, evaluationImages, evaluationLoader } from '../evaluation-images.js';
import { evaluationJson, evaluationText } from '../evaluation-text.js';
import { count } from '../format.js';
import type { NetRecord } from '../net-record.js';
import { deviceName, noTuneOption, positiveInteger, precisionOption, wholeNumber } from '../options.js';
import { runFolder } from '../run-folder.js';
import { recordText } from '../run-record-text.js';
import { openSavedNet, type SavedNetOptions } from '../saved-net.js';
import { addSavedNetOptions } from '../saved-net-options.js';
import { dataName } from '../train/option-values.js';

interface EvalOptions extends SavedNetOptions, EvaluationChoice {
  batchSize: number;
  workers: number;
  device?: Device;
  precision: Precision;
  tune: boolean;
  json?: boolean;
}

export function evalCommand(): Command {
  const command = new Command('eval')
    .description('Tests a trained net on labelled images: accuracy, each class, what is taken for what.')
    .argument(
      '<run-or-weights>',
      'the folder of a run of residua train, or with --model a file of weights (safetensors, .pth)',
    );
  return addSavedNetOptions(command)
    .option(
      '--data <name>',
      "folder:PATH (classes are folders) or a known data set: its test images (default: those of the run's data, or what it kept for validation; else of fashion-mnist)",
      dataName,
    )
    .option('--data-root <folder>', "folder of a known data set's files (default: RESIDUA_DATA, then the usual places)")
    .option(
      '--files-from <list>',
      "in place of --data: a file with a path in each line, or '-' for standard input; classes are the folders that images lie in",
    )
    .option('--limit <n>', 'only the first n images', positiveInteger)
    .option('--batch-size <n>', 'images in a batch', positiveInteger, 256)
    .option('--workers <n>', 'threads that read image files', (text: string) => wholeNumber(text, 0, 64), 0)
    .option('--device <name>', "'cpu', 'gpu' or 'gpu(N)' (default: RESIDUA_DEVICE, else cpu)", deviceName)
    .addOption(precisionOption())
    .addOption(noTuneOption())
    .option('--json', 'print JSON, with the confusion matrix')
    .action(evaluate);
}

async function evaluate(source: string, options: EvalOptions, command: Command): Promise<void> {
  if (options.filesFrom !== undefined && options.data !== undefined)
    command.error('error: --files-from and --data cannot be given together');
  const device = options.device ?? currentDevice();
  const { precision, batchSize, workers, model, size, json } = options;
  checkPrecisionOn(device, precision);
  setTuning(options.tune);
  const saved = await openSavedNet(source, { ...options, size: model === undefined ? undefined : size }, device);
  const record = size === undefined ? saved.record : resized(saved.record, size);
  const { name, part, images } = await evaluationImages(record, options, runFolder(folderOf(source)));
  const loader = evaluationLoader(images, record, { batchSize, workers, device });
  saved.net.hybridize();
  const metrics = await evaluateClasses(loader, saved.net, device, { precision }).finally(() => loader.dispose());
  if (!Number.isFinite(metrics.loss)) throw new NumericError(notFinite(name, metrics.loss));
  const classNames = record.classNames.length > 0 ? record.classNames : images.classNames;
  const side = record.inputShape[1];
  if (json) {
    const facts = {
      weights: source,
      model: record.model,
      data: name,
      part,
      device: device.name,
      precision,
      resize: side,
    };
    console.log(recordText({ ...facts, ...evaluationJson(metrics, classNames) }).trimEnd());
  } else {
    const what = part === 'all' ? 'images' : `${part} images`;
    console.log(`${count(metrics.images)} ${what} of ${side}x${side} pixels on ${device}`);
    console.log(evaluationText(metrics, classNames));
  }
}

const notFinite = (name: string, loss: number): string =>
  `The loss on ${name} is ${loss}: the net's weights may be damaged.`;

const folderOf = (source: string): string => (statSync(source).isDirectory() ? source : dirname(source));

/** The net at another image size, with the same margin around the middle. */
function resized(record: NetRecord, size: number): NetRecord {
  const [channels, height] = record.inputShape;
  return { ...record, inputShape: [channels, size, size], resize: Math.round((record.resize / height) * size) };
}
