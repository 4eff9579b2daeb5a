// residua train: trains the chapter's ResNet-18 on Fashion-MNIST and writes weights, history and a picture.
import { basename } from 'node:path';
import { Argument, Command } from 'commander';
import type { DataLoader } from '../../data/data-loader.js';
import { fashionMnist, loadDataFashionMnist } from '../../data/fashion-mnist.js';
import { currentDevice, type Device, setDevice, setTuning, tryGpu } from '../../device.js';
import { Xavier } from '../../init/index.js';
import type { Block } from '../../nn/index.js';
import { Trainer } from '../../optim/index.js';
import { checkPrecisionOn, type Precision, setPrecision } from '../../precision.js';
import { seed } from '../../tensor/random.js';
import { trainCh5 } from '../../train/index.js';
import { chapterModel, modelName, netOf, stemFor } from '../build-net.js';
import { environmentOf } from '../environment.js';
import { exitStatus } from '../exit-status.js';
import { addFineTuningOptions, type FineTuningOptions, fineTune } from '../fine-tuning.js';
import { FullRecipeNote } from '../full-recipe-note.js';
import { interruptible } from '../interrupt.js';
import type { NetRecord } from '../net-record.js';
import {
  deviceName,
  imageSide,
  noTuneOption,
  positiveInteger,
  positiveNumber,
  precisionOption,
  seedNumber,
} from '../options.js';
import { Progress } from '../progress.js';
import { type Recipe, recipeFor } from '../recipe.js';
import { makeRunFolder, type RunFolder, writeWhole } from '../run-folder.js';
import type { RunRecord } from '../run-record.js';

interface TrainCommandOptions extends FineTuningOptions {
  model: string;
  resize?: number;
  epochs?: number;
  batchSize?: number;
  lr?: number;
  seed: number;
  device?: Device;
  precision: Precision;
  tune: boolean;
  limit?: number;
  data?: string;
  out?: string;
}

export function trainCommand(): Command {
  const command = new Command('train')
    .description(
      "Trains the chapter's ResNet-18, or another net, on Fashion-MNIST; writes weights, history and a picture of the run.",
    )
    .addArgument(
      new Argument('[recipe]', "what to train: 'chapter' is the chapter's net and data")
        .choices(['chapter'])
        .default('chapter'),
    )
    .option(
      '--model <name>',
      'the net: resnet18, resnet50-v2, cifar-resnet20, ... (at most 64 pixels: with the stem for small images)',
      modelName,
      chapterModel,
    )
    .option('--resize <pixels>', 'side of the images (default: 96 on a GPU, 28 on the CPU)', imageSide)
    .option('--epochs <n>', 'passes over the data (default: 5 on a GPU, 3 on the CPU)', positiveInteger)
    .option('--batch-size <n>', 'images in a batch (default: 256)', positiveInteger)
    .option('--lr <rate>', 'learning rate (default: 0.05)', positiveNumber)
    .option('--seed <n>', 'seed of initial weights and shuffles', seedNumber, 0)
    .option(
      '--device <name>',
      "'cpu', 'gpu' or 'gpu(N)' (default: RESIDUA_DEVICE, else a GPU where one works)",
      deviceName,
    )
    .addOption(precisionOption())
    .addOption(noTuneOption())
    .option('--limit <n>', 'only the first n training images, and a sixth as many test images', positiveInteger)
    .option('--data <folder>', 'folder of the data set (default: RESIDUA_DATA, then the usual places)')
    .option('--out <folder>', 'where to write (default: runs/<date_time>)');
  return addFineTuningOptions(command)
    .addHelpText(
      'after',
      '\nCtrl-C ends the current step, writes weights and history so far and exits with status 130.',
    )
    .action((_recipe: string, options: TrainCommandOptions) => train(options));
}

/** All that one run needs. */
interface Session {
  recipe: Recipe;
  device: Device;
  net: Block;
  trainIter: DataLoader;
  testIter: DataLoader;
  folder: RunFolder;
  record: RunRecord;
}

async function train(options: TrainCommandOptions): Promise<void> {
  const { runReport } = await import('../run-report.js'); // with vega, which no other command should wait for
  const session = await prepare(options);
  const { record, folder, net } = session;
  const steps = await runTraining(session);
  writeWhole(folder.history, toJson(record));
  if (steps > 0) await net.saveParameters(folder.weights);
  if (record.interrupted) {
    const what = steps > 0 ? 'Weights and history so far are' : 'No step was done; the history is';
    note(`Interrupted. ${what} in ${folder.path}.`);
    process.exitCode = exitStatus.interrupted;
    return;
  }
  const test = await fashionMnist({ train: false, root: options.data });
  writeWhole(folder.report, await runReport(record, net, test, session.device));
  note(
    `Wrote ${folder.path}: ${[folder.weights, folder.history, folder.report].map((file) => basename(file)).join(', ')}`,
  );
}

async function prepare(options: TrainCommandOptions): Promise<Session> {
  const device = options.device ?? (process.env.RESIDUA_DEVICE ? currentDevice() : tryGpu());
  setDevice(device);
  checkPrecisionOn(device, options.precision);
  setPrecision(options.precision);
  setTuning(options.tune);
  seed(options.seed);
  const { resize, epochs, batchSize, lr: learningRate } = options;
  const recipe = recipeFor(device.kind, { resize, epochs, batchSize, learningRate });
  const [trainIter, testIter] = await loadDataFashionMnist(recipe.batchSize, {
    resize: recipe.resize,
    root: options.data,
    device,
    limit: options.limit,
  });
  const netRecord: NetRecord = {
    model: options.model,
    stem: stemFor(options.model, recipe.resize),
    classes: trainIter.dataset.classNames.length,
    inputShape: [1, recipe.resize, recipe.resize],
    resize: recipe.resize,
    classNames: trainIter.dataset.classNames,
  };
  const isChapter = options.model === chapterModel;
  const net = netOf(netRecord);
  net.initialize({ init: isChapter ? new Xavier() : undefined, device });
  await fineTune(net, options, note);
  const folder = makeRunFolder(options.out);
  const record: RunRecord = {
    model: isChapter ? "the chapter's ResNet-18" : options.model,
    data: 'Fashion-MNIST',
    net: netRecord,
    config: {
      ...recipe,
      optimizer: 'sgd',
      initializer: isChapter ? 'Xavier' : 'Kaiming normal, fan out',
      device: device.name,
      precision: options.precision,
      seed: options.seed,
      weights: options.weights,
      trainImages: trainIter.dataset.length,
      testImages: testIter.dataset.length,
    },
    environment: environmentOf(device),
    started: new Date().toISOString(),
    seconds: 0,
    skippedSteps: 0,
    interrupted: false,
    epochs: [],
  };
  return { recipe, device, net, trainIter, testIter, folder, record };
}

/** Trains, and fills in the record as it goes, on disk too. Returns the number of steps done. */
async function runTraining({ recipe, device, net, trainIter, testIter, folder, record }: Session): Promise<number> {
  const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: recipe.learningRate });
  const progress = new Progress(recipe.epochs);
  const say = (line: string): void => progress.interrupt(() => note(line));
  const fullRecipe = record.net.model === chapterModel ? new FullRecipeNote(recipe, device.kind, say) : null;
  const start = performance.now();
  let steps = 0;
  fullRecipe?.announce();
  try {
    const history = await interruptible(
      (signal) =>
        trainCh5(net, trainIter, testIter, recipe.batchSize, trainer, device, recipe.epochs, {
          signal,
          log: (line) => progress.interrupt(() => console.log(line)),
          onBatch: (event) => {
            progress.step(event);
            steps += 1;
            fullRecipe?.afterStep(steps, progress.imagesPerSecond);
          },
          onEpoch: (epoch) => {
            record.epochs.push(epoch);
            record.seconds = (performance.now() - start) / 1000;
            record.skippedSteps = trainer.skippedSteps;
            writeWhole(folder.history, toJson(record));
          },
        }),
      () => say('Stopping after this step; once more leaves at once.'),
    );
    record.interrupted = history.aborted;
  } finally {
    progress.stop();
  }
  record.seconds = (performance.now() - start) / 1000;
  record.skippedSteps = trainer.skippedSteps;
  if (trainer.skippedSteps > 0)
    note(`${trainer.skippedSteps} of ${steps} steps were skipped: their gradients overflowed float16.`);
  fullRecipe?.close();
  return steps;
}

function toJson(record: RunRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}

/** Words that are not results go to stderr. */
function note(line: string): void {
  process.stderr.write(`${line}\n`);
}
