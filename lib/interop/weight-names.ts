// The names that libraries give the parameters of a ResNet, each beside ours.

/**
 * 'torchvision': also timm's for ResNet v1. 'timm': timm's `resnetv2` (pre-activation). 'huggingface': transformers' ResNet.
 */
export type WeightNames = 'residua' | 'torchvision' | 'timm' | 'huggingface';

export const weightNames: readonly WeightNames[] = ['residua', 'torchvision', 'timm', 'huggingface'];

/** BatchNorm's parameters in PyTorch. */
const leaves: Readonly<Record<string, string>> = {
  gamma: 'weight',
  beta: 'bias',
  runningMean: 'running_mean',
  runningVar: 'running_var',
};

type Rule = readonly [ours: RegExp, theirs: (...groups: string[]) => string];

const before = (number: string | undefined): number => Number(number) - 1; // they count stages and layers from 0

/** timm, models/resnetv2.py. */
const timm: readonly Rule[] = [
  [/^conv1$/, () => 'stem.conv'],
  [/^bn1$/, () => 'stem.norm'],
  [/^bn$/, () => 'norm'],
  [/^fc$/, () => 'head.fc'],
  [/^layer(\d+)\.(\d+)\.conv(\d)$/, (stage, block, i) => `stages.${before(stage)}.blocks.${block}.conv${i}`],
  [/^layer(\d+)\.(\d+)\.bn(\d)$/, (stage, block, i) => `stages.${before(stage)}.blocks.${block}.norm${i}`],
  [/^layer(\d+)\.(\d+)\.downsample\.0$/, (stage, block) => `stages.${before(stage)}.blocks.${block}.downsample.conv`],
  [/^layer(\d+)\.(\d+)\.downsample\.1$/, (stage, block) => `stages.${before(stage)}.blocks.${block}.downsample.norm`],
];

const huggingFaceLayer = (stage?: string, block?: string): string => `encoder.stages.${before(stage)}.layers.${block}`;

/** Hugging Face transformers, models/resnet/modeling_resnet.py; all but the classifier stand under 'resnet.' there. */
const huggingFace: readonly Rule[] = [
  [/^conv1$/, () => 'embedder.embedder.convolution'],
  [/^bn1$/, () => 'embedder.embedder.normalization'],
  [/^fc$/, () => 'classifier.1'],
  [/^layer(\d+)\.(\d+)\.conv(\d)$/, (s, b, i) => `${huggingFaceLayer(s, b)}.layer.${before(i)}.convolution`],
  [/^layer(\d+)\.(\d+)\.bn(\d)$/, (s, b, i) => `${huggingFaceLayer(s, b)}.layer.${before(i)}.normalization`],
  [/^layer(\d+)\.(\d+)\.downsample\.0$/, (s, b) => `${huggingFaceLayer(s, b)}.shortcut.convolution`],
  [/^layer(\d+)\.(\d+)\.downsample\.1$/, (s, b) => `${huggingFaceLayer(s, b)}.shortcut.normalization`],
];

/** Their name of our parameter ('layer1.0.bn1.gamma'); undefined where they have nothing of the kind. */
export function nameIn(names: WeightNames, ours: string): string | undefined {
  if (names === 'residua') return ours;
  const dot = ours.lastIndexOf('.') + 1;
  const leaf = ours.slice(dot);
  const parameter = Object.hasOwn(leaves, leaf) ? leaves[leaf] : leaf;
  if (names === 'torchvision') return ours.slice(0, dot) + parameter; // modules have our names
  const module = renamed(names === 'timm' ? timm : huggingFace, ours.slice(0, Math.max(0, dot - 1)));
  return module === undefined ? undefined : `${module}.${parameter}`;
}

function renamed(rules: readonly Rule[], module: string): string | undefined {
  for (const [pattern, theirs] of rules) {
    const match = pattern.exec(module);
    if (match) return theirs(...match.slice(1));
  }
  return undefined;
}
