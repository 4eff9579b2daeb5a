// The table of a training run's config: every key with its kind, its default and what it is for. Checks, defaults and the JSON schema are derived from it.
import { modelNames } from '../models/index.js';
import { precisions } from '../precision.js';
import type { Field, Kind } from './kinds.js';
import type {
  AugmentConfig,
  CheckpointConfig,
  DataConfig,
  NetOptions,
  OptimizerConfig,
  ScheduleConfig,
  TrainConfig,
} from './train-config.js';

type FieldsOf<T> = { readonly [K in keyof Required<T>]: Field };

const boolean: Kind = { is: 'boolean' };
const count: Kind = { is: 'integer', min: 1 };
const positive: Kind = { is: 'number', above: 0 };
const atLeast0: Kind = { is: 'number', min: 0 };
const share: Kind = { is: 'number', min: 0, max: 1 };
const below1: Kind = { is: 'number', min: 0, max: 1 - 2 ** -24 }; // 1 in float32 would be kept for ever
const text: Kind = { is: 'text' };
const word = (...words: string[]): Kind => ({ is: 'word', words });
const orNull = (kind: Kind): Kind => ({ is: 'either', kinds: [kind, { is: 'null' }] });

export const dataNames = ['fashion-mnist', 'mnist', 'cifar10', 'cifar100', 'synthetic'] as const;

const data: FieldsOf<DataConfig> = {
  name: {
    kind: { is: 'word', words: dataNames, or: { pattern: /^folder:./, like: 'folder:PATH' } },
    describe: "A known data set, or 'folder:PATH' for images in a folder of each class.",
    default: 'fashion-mnist',
  },
  root: {
    kind: orNull(text),
    describe: 'Folder of the files of a known data set. Null: RESIDUA_DATA, then the usual places.',
    default: null,
  },
  size: {
    kind: { is: 'integer', min: 1, max: 4096 },
    describe:
      "Pixels of the side of the images that enter the net. Default: the data set's own; 224 for folders; 96 for the chapter's net on a GPU.",
  },
  validation: {
    kind: orNull({ is: 'number', above: 0, max: 0.99 }),
    describe:
      "Share of the training images kept for validation. Null: the data set's own test images. Default: null; 0.2 for a folder without 'val' or 'test'.",
  },
  limit: {
    kind: orNull(count),
    describe:
      'Only so many training images, and test images in proportion: the first ones, or evenly spaced ones of a folder.',
    default: null,
  },
  balanced: { kind: boolean, describe: 'Every class is drawn equally often.', default: false },
  workers: {
    kind: { is: 'integer', min: 0, max: 64 },
    describe: 'Threads that read and transform images. Default: 2 for folders, else 0.',
  },
  onBroken: {
    kind: word('error', 'skip'),
    describe: 'What an image that cannot be decoded leads to. Default: skip for folders, else error.',
  },
  download: { kind: boolean, describe: 'Missing files of a known data set are downloaded.', default: false },
};

const jitter = (what: string, max?: number): Field => ({
  kind: { is: 'number', min: 0, max },
  describe: `Largest change of the ${what}.`,
  default: 0,
});

const augment: FieldsOf<AugmentConfig> = {
  flip: {
    kind: boolean,
    describe: "Half of the images are mirrored. Default: true, but for MNIST and the chapter's net.",
  },
  crop: {
    kind: orNull(count),
    describe:
      "Pixels of padding before a random crop of the image's own size. Default: 4 for CIFAR, 2 for Fashion-MNIST and MNIST, else none; none for the chapter's net.",
  },
  randomResizedCrop: {
    kind: orNull({ is: 'list', of: { is: 'number', above: 0, max: 1 }, length: 2 }),
    describe:
      'Smallest and largest part of the area of a random crop that is resized. Default: [0.25, 1] for folders, else none.',
  },
  colorJitter: {
    kind: orNull({
      is: 'group',
      fields: {
        brightness: jitter('brightness'),
        contrast: jitter('contrast'),
        saturation: jitter('saturation'),
        hue: jitter('hue, as a part of the colour circle', 0.5),
      },
    }),
    describe: 'Random changes of brightness, contrast, saturation and hue.',
    default: null,
  },
  cutout: { kind: orNull(count), describe: 'Pixels of the side of a square that is blanked.', default: null },
};

const schedule: FieldsOf<ScheduleConfig> = {
  name: {
    kind: word('constant', 'step', 'multi-step', 'cosine', 'polynomial', 'one-cycle'),
    describe: "How the learning rate goes. Default: cosine; constant for the chapter's net.",
  },
  warmup: {
    kind: atLeast0,
    describe:
      'Epochs of warm-up, also a fraction. Default: a twentieth of the epochs, at most 5, for cosine and polynomial; 0.3 of them for one-cycle (its rise); else 0.',
  },
  warmupFrom: {
    kind: share,
    describe: 'Part of the learning rate at which the warm-up begins. Default: 0; 0.04 for one-cycle.',
  },
  at: {
    kind: { is: 'either', kinds: [positive, { is: 'list', of: positive }, { is: 'null' }] },
    describe: "'step': epochs between two decays; 'multi-step': the epochs after which the rate decays.",
    default: null,
  },
  factor: {
    kind: { is: 'number', above: 0, max: 1 },
    describe: "What a decay multiplies the rate by ('step', 'multi-step').",
    default: 0.1,
  },
  power: { kind: atLeast0, describe: "Exponent of 'polynomial'.", default: 2 },
  final: {
    kind: share,
    describe:
      "The rate at the end, as a part of the learning rate ('cosine', 'polynomial', 'one-cycle'). Default: 0; 4e-6 for one-cycle.",
  },
};

const optimizer: FieldsOf<OptimizerConfig> = {
  name: {
    kind: word('sgd', 'adamw'),
    describe: "'sgd': stochastic gradient descent; 'adamw': AdamW.",
    default: 'sgd',
  },
  learningRate: {
    kind: positive,
    describe:
      "The learning rate. Default: 0.1 for each 256 images of a step, a tenth of it with given weights; 0.05 for the chapter's net. adamw: 1e-3, 1e-4 with given weights.",
  },
  momentum: {
    kind: { is: 'number', min: 0, max: 1 },
    describe: "Momentum of sgd. Default: 0.9; 0 for the chapter's net.",
  },
  nesterov: { kind: boolean, describe: "Nesterov's momentum of sgd.", default: false },
  beta1: { kind: below1, describe: 'adamw: what the mean of the gradients keeps at each step.', default: 0.9 },
  beta2: { kind: below1, describe: 'adamw: what the mean of their squares keeps at each step.', default: 0.999 },
  epsilon: {
    kind: { is: 'number', min: 1e-16 },
    describe: "adamw: is added to the root of the squares' mean, which a step is divided by.",
    default: 1e-8,
  },
  weightDecay: {
    kind: atLeast0,
    describe: "Weight decay. Default: 1e-4; 0 for the chapter's net; 0.01 for adamw.",
  },
  decayNorm: { kind: boolean, describe: "Biases and BatchNorm's gamma and beta decay too.", default: true },
  clipNorm: {
    kind: orNull(positive),
    describe: 'The largest norm of all gradients together. Each step then waits for it before it updates.',
    default: null,
  },
};

const checkpoint: FieldsOf<CheckpointConfig> = {
  keepLast: { kind: count, describe: 'How many of the newest checkpoints are kept, beside the best.', default: 3 },
  everySteps: { kind: orNull(count), describe: 'Also after every so many steps.', default: null },
  everyEpochs: { kind: count, describe: 'After every so many epochs, and after the last.', default: 1 },
};

const modelOptions: FieldsOf<NetOptions> = {
  version: {
    kind: word('v1', 'v1.5', 'v2'),
    describe: "'v1': strides on the first 1x1 convolution of a bottleneck; 'v1.5': on the 3x3; 'v2': pre-activation.",
  },
  stem: {
    kind: word('imagenet', 'cifar'),
    describe:
      "'imagenet': 7x7 convolution with stride 2 and pooling; 'cifar': 3x3 convolution. Default: what the name says, but cifar for images of at most 64 pixels.",
  },
  zeroInitResidual: { kind: boolean, describe: 'Each block starts as its shortcut alone.' },
  widths: { kind: { is: 'list', of: count }, describe: 'Width of each stage.' },
  groups: { kind: count, describe: "Groups of the bottlenecks' 3x3 convolutions." },
  widthPerGroup: { kind: count, describe: 'Channels a group of these at width 64.' },
  shortcut: { kind: word('projection', 'pad'), describe: 'What shortcuts do where the shape changes.' },
  residual: { kind: boolean, describe: 'There are shortcuts: without them it is the plain net of the same depth.' },
  block: { kind: word('basic', 'bottleneck'), describe: "Blocks of the model 'resnet'. Default: basic." },
  blocks: {
    kind: { is: 'list', of: count },
    describe: "Blocks in each of the one to four stages of the model 'resnet', which needs them.",
  },
};

const numbers: Kind = { is: 'list', of: { is: 'number' } };

const train: FieldsOf<TrainConfig> = {
  model: {
    kind: { is: 'word', words: modelNames },
    describe:
      "The net. Default: chapter-resnet18 for fashion-mnist and mnist, cifar-resnet20 for CIFAR and synthetic, resnet18 for folders. 'resnet' is a net of its own depth: modelOptions.blocks.",
  },
  modelOptions: {
    kind: { is: 'group', fields: modelOptions },
    describe: 'Options of the net over what its name says.',
  },
  weights: {
    kind: orNull(text),
    describe: 'A file of weights to begin from, safetensors or PyTorch. Null: they are drawn.',
    default: null,
  },
  data: { kind: { is: 'group', fields: data, short: 'name' }, describe: 'The images.' },
  augment: { kind: { is: 'group', fields: augment }, describe: 'What happens to training images.' },
  normalize: {
    kind: {
      is: 'either',
      kinds: [
        word('dataset', 'imagenet'),
        {
          is: 'group',
          fields: {
            mean: { kind: numbers, describe: 'Mean of each channel, from 0 to 1.' },
            std: { kind: { is: 'list', of: positive }, describe: 'Standard deviation of each channel.' },
          },
        },
        { is: 'null' },
      ],
    },
    describe:
      "'dataset': mean and standard deviation known for the data set. Null: pixels are divided by 255 alone. Default: dataset; null for the chapter's net.",
  },
  epochs: {
    kind: count,
    describe: "Passes over the data. Default: 10; for the chapter's net 5 on a GPU, 3 on the CPU.",
  },
  batchSize: { kind: count, describe: "Images in a batch. Default: 128; 32 for folders; 256 for the chapter's net." },
  accumulate: { kind: count, describe: 'Batches whose gradients are summed for one step.', default: 1 },
  optimizer: { kind: { is: 'group', fields: optimizer, short: 'name' }, describe: 'How weights are updated.' },
  schedule: {
    kind: { is: 'group', fields: schedule, short: 'name' },
    describe: 'How the learning rate goes.',
  },
  labelSmoothing: { kind: share, describe: 'Part of the target that is spread over all classes.', default: 0 },
  mixup: { kind: orNull(positive), describe: "Alpha of mixup's Beta distribution.", default: null },
  averageDecay: {
    kind: orNull(share),
    describe: 'Decay of averaged weights (EMA), which are evaluated.',
    default: null,
  },
  earlyStopping: {
    kind: orNull(count),
    describe: 'Epochs without a better validation accuracy before the run ends.',
    default: null,
  },
  onNan: {
    kind: word('stop', 'skip', 'rollback'),
    describe: 'What a loss that is NaN or infinite leads to.',
    default: 'stop',
  },
  device: {
    kind: orNull({ is: 'word', words: ['cpu', 'gpu'], or: { pattern: /^gpu\(\d+\)$/, like: 'gpu(N)' } }),
    describe: 'Null: RESIDUA_DEVICE, else a GPU where one works, else the CPU.',
    default: null,
  },
  precision: {
    kind: { is: 'word', words: [...precisions, 'auto'] },
    describe: 'Type of the activations; auto: bfloat16 where the device has it. Parameters are float32 in any case.',
    default: 'float32',
  },
  seed: { kind: { is: 'integer', min: 0 }, describe: 'Seed of initial weights, shuffles and transforms.', default: 0 },
  tune: { kind: boolean, describe: 'Convolution algorithms are chosen by timing (CPU).', default: true },
  checkpoint: { kind: { is: 'group', fields: checkpoint }, describe: 'Which checkpoints are written and kept.' },
  tensorboard: { kind: boolean, describe: 'TensorBoard event files are written.', default: true },
};

/** The whole config. */
export const trainKind: Extract<Kind, { is: 'group' }> = { is: 'group', fields: train };
