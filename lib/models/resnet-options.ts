// What nets of the family are made with: options, their defaults, their checks.
import { ConfigError } from '../errors.js';
import type { ShortcutKind } from '../nn/index.js';
import { checkBoolean, checkChoice, checkInteger, checkOptions } from '../options.js';
import type { ResNetSpec } from './resnet-specs.js';

/**
 * 'v1': He et al., "Deep residual learning for image recognition", 2016: bottlenecks have their strides on the first 1x1
 * convolution. 'v1.5': on the 3x3 convolution, as in most trained weights; without bottlenecks the same as v1. 'v2': He et al.,
 * "Identity mappings in deep residual networks", 2016: BatchNorm and ReLU before each convolution, and once more at the end.
 */
export type ResNetVersion = 'v1' | 'v1.5' | 'v2';

export interface ResNetOptions {
  /** Default 'v1.5'. */
  version?: ResNetVersion;
  /** Outputs. Default 1000. */
  classes?: number;
  /** Channels of the images. Default 3. */
  inChannels?: number;
  /** 'imagenet': 7x7 convolution with stride 2, 3x3 max pooling with stride 2. 'cifar': 3x3 convolution. Default 'imagenet'. */
  stem?: 'imagenet' | 'cifar';
  /** Whether each block starts as its shortcut alone. Default false. */
  zeroInitResidual?: boolean;
  /** Width of each stage: output channels of basic blocks, a fourth of those of bottlenecks. Default 64, 128, 256, 512. */
  widths?: readonly number[];
  /** Groups of the bottlenecks' 3x3 convolutions. Default 1; 32 in ResNeXt. */
  groups?: number;
  /** Channels a group of these at width 64. Default 64; 128 in Wide ResNet-50-2, 4 in ResNeXt-50 32x4d. */
  widthPerGroup?: number;
  /** What shortcuts do where the shape changes. Default 'projection'. */
  shortcut?: ShortcutKind;
  /** Whether there are shortcuts: without them it is the plain net of the same depth. Default true. */
  residual?: boolean;
}

/** All that determines a net: `new ResNet(net.architecture)` makes it again. */
export interface ResNetArchitecture extends Required<ResNetOptions>, ResNetSpec {}

export const resNetOptionNames: readonly (keyof ResNetOptions)[] = [
  'version',
  'classes',
  'inChannels',
  'stem',
  'zeroInitResidual',
  'widths',
  'groups',
  'widthPerGroup',
  'shortcut',
  'residual',
];

/** What is given, over the defaults of a kind of net: an option that is undefined is not given. */
export function over<Options extends object>(defaults: ResNetOptions, options: Options): ResNetOptions & Options {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...defaults, ...(Object.fromEntries(given) as Options) };
}

/** The options over the defaults, checked. `where`: the function that was called. Throws ConfigError. */
export function architectureOf(
  where: string,
  { block, blocks }: ResNetSpec,
  options: ResNetOptions,
): ResNetArchitecture {
  checkOptions(where, options, resNetOptionNames);
  const architecture = {
    block,
    blocks,
    version: checkChoice(where, 'version', options.version ?? 'v1.5', ['v1', 'v1.5', 'v2']),
    classes: checkInteger(where, 'classes', options.classes ?? 1000, 1),
    inChannels: checkInteger(where, 'inChannels', options.inChannels ?? 3, 1),
    stem: checkChoice(where, 'stem', options.stem ?? 'imagenet', ['imagenet', 'cifar']),
    zeroInitResidual: checkBoolean(where, 'zeroInitResidual', options.zeroInitResidual ?? false),
    widths: checkWidths(where, options.widths ?? [64, 128, 256, 512], blocks.length),
    groups: checkInteger(where, 'groups', options.groups ?? 1, 1),
    widthPerGroup: checkInteger(where, 'widthPerGroup', options.widthPerGroup ?? 64, 1),
    shortcut: checkChoice(where, 'shortcut', options.shortcut ?? 'projection', ['projection', 'pad']),
    residual: checkBoolean(where, 'residual', options.residual ?? true),
  } satisfies ResNetArchitecture;
  checkTogether(where, architecture);
  return architecture;
}

function checkWidths(where: string, widths: unknown, stages: number): readonly number[] {
  if (!Array.isArray(widths) || widths.length !== stages)
    throw new ConfigError(
      `${where} expected widths to be an array of ${stages} numbers, one a stage, got ${JSON.stringify(widths)}.`,
      {
        argument: 'widths',
        found: widths,
      },
    );
  return widths.map((width, i) => checkInteger(where, `widths[${i}]`, width, 1));
}

/** Options that exclude each other. */
function checkTogether(
  where: string,
  { block, groups, widthPerGroup, residual, zeroInitResidual }: ResNetArchitecture,
) {
  if (block === 'basic' && (groups !== 1 || widthPerGroup !== 64))
    throw new ConfigError(
      `${where} expected groups 1 and widthPerGroup 64, for its blocks are not bottlenecks, got ${groups} and ${widthPerGroup}. ` +
        'Take a depth of 50 or more, or other widths.',
      { argument: groups !== 1 ? 'groups' : 'widthPerGroup' },
    );
  if (!residual && zeroInitResidual)
    throw new ConfigError(
      `${where} expected zeroInitResidual false where residual is false: without shortcuts the net would give zeros for ever.`,
      { argument: 'zeroInitResidual' },
    );
}
