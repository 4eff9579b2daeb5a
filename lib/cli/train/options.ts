// The options of `residua train`, in groups: every field of a config, and what belongs to one run alone.
import { type Command, Option } from 'commander';
import type { DataName, OptimizerConfig, ScheduleConfig, TrainConfig } from '../../config/train-config.js';
import type { Device } from '../../device.js';
import { type Precision, precisions } from '../../precision.js';
import { modelName } from '../build-net.js';
import { addFineTuningOptions, type FineTuningOptions } from '../fine-tuning.js';
import {
  choiceOption,
  deviceName,
  imageSide,
  positiveInteger,
  positiveNumber,
  seedNumber,
  wholeNumber,
} from '../options.js';
import {
  areaRange,
  colorJitter,
  dataName,
  decayEpochs,
  modelOption,
  type None,
  normalization,
  numberFrom,
  orNone,
} from './option-values.js';
import { changeableOptions } from './resumption-options.js';

/** What the command line says; undefined where it says nothing. */
export interface ConfigOptions {
  model?: string;
  modelOption?: Record<string, unknown>;
  data?: DataName;
  dataRoot?: string;
  size?: number;
  validation?: number | None;
  limit?: number | None;
  balanced?: boolean;
  workers?: number;
  onBroken?: 'error' | 'skip';
  download?: boolean;
  flip?: boolean;
  crop?: number | None;
  randomResizedCrop?: [number, number] | None;
  colorJitter?: NonNullable<TrainConfig['augment']['colorJitter']> | None;
  cutout?: number | None;
  normalize?: NonNullable<TrainConfig['normalize']> | None;
  epochs?: number;
  batchSize?: number;
  accumulate?: number;
  optimizer?: OptimizerConfig['name'];
  lr?: number;
  momentum?: number;
  nesterov?: boolean;
  beta1?: number;
  beta2?: number;
  epsilon?: number;
  weightDecay?: number;
  decayNorm?: boolean;
  clipNorm?: number | None;
  schedule?: ScheduleConfig['name'];
  warmup?: number;
  warmupFrom?: number;
  decayAt?: number | number[];
  decayFactor?: number;
  power?: number;
  finalLr?: number;
  labelSmoothing?: number;
  mixup?: number | None;
  averageDecay?: number | None;
  earlyStopping?: number | None;
  onNan?: TrainConfig['onNan'];
  device?: Device;
  precision?: Precision | 'auto';
  seed?: number;
  tune?: boolean;
  keepLast?: number;
  checkpointEvery?: number | None;
  checkpointEpochs?: number;
  tensorboard?: boolean;
}

export interface TrainOptions extends ConfigOptions, FineTuningOptions {
  out?: string;
  resume?: string;
  dryRun?: boolean;
}

const share = numberFrom(0, 1);

export function addTrainOptions(command: Command): Command {
  addModelOptions(command.optionsGroup('Model:'));
  addFineTuningOptions(command.optionsGroup('Fine-tuning:'));
  addDataOptions(command.optionsGroup('Data:'));
  addAugmentOptions(command.optionsGroup('Augmentation of training images:'));
  addOptimizerOptions(command.optionsGroup('Optimiser:'));
  addScheduleOptions(command.optionsGroup('Learning rate schedule:'));
  addTrainingOptions(command.optionsGroup('Training:'));
  addMachineOptions(command.optionsGroup('Machine:'));
  addRunOptions(command.optionsGroup('Run:'));
  return command.optionsGroup('Options:');
}

function addModelOptions(command: Command): void {
  command
    .option(
      '--model <name>',
      'the net: resnet18, resnet50-v2, cifar-resnet20, ... (at most 64 pixels: with the stem for small images)',
      modelName,
    )
    .option(
      '--model-option <name=value>',
      'an option of the net over what its name says: widths=16,32,64, stem=cifar, zeroInitResidual=true, ...; repeatable',
      modelOption,
    );
}

function addDataOptions(command: Command): void {
  command
    .option(
      '--data <name>',
      'fashion-mnist, mnist, cifar10, cifar100, synthetic, or folder:PATH (classes are folders)',
      dataName,
    )
    .option('--data-root <folder>', "folder of a known data set's files (default: RESIDUA_DATA, then the usual places)")
    .option('--resize, --size <pixels>', 'side of the images that enter the net', imageSide)
    .option(
      '--validation <share>',
      "share of the training images kept for validation (none: the data set's own test images)",
      orNone(numberFrom(0, 1, { above: true })),
    )
    .option('--limit <n>', 'only the first n training images, and test images in proportion', orNone(positiveInteger))
    .option('--workers <n>', 'threads that read and transform images', (text) => wholeNumber(text, 0, 64))
    .addOption(choiceOption('--on-broken <what>', 'what a broken image leads to', ['error', 'skip']));
  addSwitch(command, 'balanced', 'draw every class equally often');
  addSwitch(command, 'download', 'download missing files of a known data set');
}

function addAugmentOptions(command: Command): void {
  addSwitch(command, 'flip', 'mirror half of the images');
  command
    .option('--crop <pixels>', 'pad by so many pixels, then cut out the own size at random', orNone(positiveInteger))
    .option('--random-resized-crop <min,max>', 'cut out a random part of the area and resize it', orNone(areaRange))
    .option(
      '--color-jitter <b,c,s,h>',
      'change brightness, contrast, saturation, hue by up to so much',
      orNone(colorJitter),
    )
    .option('--cutout <pixels>', 'blank a square of this side', orNone(positiveInteger))
    .option(
      '--normalize <how>',
      'dataset, imagenet, none, or mean/deviation of each channel; all images',
      orNone(normalization),
    );
}

function addOptimizerOptions(command: Command): void {
  command
    .addOption(choiceOption('--optimizer <name>', 'stochastic gradient descent or AdamW', ['sgd', 'adamw']))
    .option('--lr <rate>', 'learning rate', positiveNumber)
    .option('--momentum <share>', 'sgd: what is kept of the last step', numberFrom(0, 1));
  addSwitch(command, 'nesterov', "sgd: Nesterov's momentum");
  command
    .option('--beta1 <share>', 'adamw: what the mean of the gradients keeps at each step', numberFrom(0, 1))
    .option('--beta2 <share>', 'adamw: what the mean of their squares keeps at each step', numberFrom(0, 1))
    .option('--epsilon <number>', "adamw: is added to the root of the squares' mean", positiveNumber)
    .option('--weight-decay <factor>', 'weight decay', numberFrom(0));
  addSwitch(command, 'decay-norm', "keep biases and BatchNorm's gamma and beta out of the weight decay", false);
  command.option(
    '--clip-norm <norm>',
    'the largest norm of all gradients together; each step then waits for it',
    orNone(positiveNumber),
  );
}

function addScheduleOptions(command: Command): void {
  const schedules = ['constant', 'step', 'multi-step', 'cosine', 'polynomial', 'one-cycle'] as const;
  command
    .addOption(choiceOption('--schedule <name>', 'how the learning rate changes', schedules))
    .option('--warmup <epochs>', 'epochs of linear warm-up; may be a fraction', numberFrom(0))
    .option('--warmup-from <share>', 'the part of the learning rate that warm-up begins from', share)
    .option('--decay-at <epochs>', 'step: epochs between two decays; multi-step: a list, such as 30,60,80', decayEpochs)
    .option('--decay-factor <factor>', 'what a decay multiplies the rate by', positiveNumber)
    .option('--power <exponent>', 'exponent of polynomial', positiveNumber)
    .option('--final-lr <share>', 'the rate at the end, as a part of the learning rate', share);
}

function addTrainingOptions(command: Command): void {
  command
    .option('--epochs <n>', 'passes over the data', positiveInteger)
    .option('--batch-size <n>', 'images in a batch', positiveInteger)
    .option('--accumulate <n>', 'batches whose gradients are summed for one step', positiveInteger)
    .option('--label-smoothing <share>', 'part of the target that is spread over all classes', share)
    .option('--mixup <alpha>', 'mix pairs of images; alpha of the Beta distribution', orNone(positiveNumber))
    .option('--average-decay <decay>', 'keep averaged weights (EMA), which are evaluated', orNone(share))
    .option(
      '--early-stopping <epochs>',
      'end after so many epochs without a better validation',
      orNone(positiveInteger),
    )
    .addOption(choiceOption('--on-nan <what>', 'what a NaN or infinite loss leads to', ['stop', 'skip', 'rollback']));
}

function addMachineOptions(command: Command): void {
  command
    .option(
      '--device <name>',
      "'cpu', 'gpu' or 'gpu(N)' (default: RESIDUA_DEVICE, else a GPU where one works)",
      deviceName,
    )
    .addOption(
      choiceOption(
        '--precision <type>',
        'type of the activations; auto: bfloat16 where the device has it. Parameters are float32 in any case',
        [...precisions, 'auto'],
      ),
    )
    .option('--seed <n>', 'seed of initial weights, shuffles and augmentation', seedNumber);
  addSwitch(command, 'tune', 'compute convolutions directly: no algorithm is chosen by timing it (CPU)', false);
}

function addRunOptions(command: Command): void {
  command
    .option('--out <folder>', 'where to write (default: runs/<date_time>)')
    .option(
      '--resume <folder>',
      `go on with the run in this folder; these may change: ${changeableOptions.join(', ')}. A run that early stopping ended trains on only with more --epochs, a larger --early-stopping, or none`,
    )
    .option('--dry-run', 'print the config, the net, and what time and memory it would take; write nothing')
    .option('--keep-last <n>', 'how many of the newest checkpoints are kept, beside the best', positiveInteger)
    .option('--checkpoint-every <steps>', 'also write a checkpoint every so many steps', orNone(positiveInteger))
    .option('--checkpoint-epochs <n>', 'write a checkpoint every so many epochs', positiveInteger);
  addSwitch(command, 'tensorboard', 'write no event files for TensorBoard', false);
}

/** `--name` and `--no-name`, of which help shows one: the other only takes back what a config file says. */
function addSwitch(command: Command, name: string, description: string, shown = true): void {
  const [on, off] = [new Option(`--${name}`, description), new Option(`--no-${name}`, description)];
  (shown ? off : on).hideHelp();
  command.addOption(on).addOption(off);
}
