// Constructors of the family: by depth, by name of the net, for CIFAR's small images.
import { checkBoolean, checkInteger, checkOptions } from '../options.js';
import { ResNet } from './resnet.js';
import { architectureOf, over, type ResNetOptions, resNetOptionNames } from './resnet-options.js';
import { checkSpec, cifarSpec, type ResNetDepth, type ResNetSpec, resNetSpec, resNetVariants } from './resnet-specs.js';

/**
 * The residual net of a depth: 18, 34 (basic blocks), 50, 101 or 152 (bottlenecks). [n, inChannels, h, w] -> [n, classes].
 * Options over the defaults: ResNet v1.5 for ImageNet. Throws ConfigError.
 */
export function resnet(depth: ResNetDepth, options: ResNetOptions = {}): ResNet {
  return new ResNet(architectureOf('resnet', resNetSpec('resnet', depth), options));
}

/** 11,689,512 parameters with 1000 classes. */
export const resnet18 = (options: ResNetOptions = {}): ResNet => resnet(18, options);
/** 21,797,672 parameters with 1000 classes. */
export const resnet34 = (options: ResNetOptions = {}): ResNet => resnet(34, options);
/** 25,557,032 parameters with 1000 classes. */
export const resnet50 = (options: ResNetOptions = {}): ResNet => resnet(50, options);
/** 44,549,160 parameters with 1000 classes. */
export const resnet101 = (options: ResNetOptions = {}): ResNet => resnet(101, options);
/** 60,192,808 parameters with 1000 classes. */
export const resnet152 = (options: ResNetOptions = {}): ResNet => resnet(152, options);

/** A variant of the table, with the options over it. Throws ConfigError. */
export function resNetVariant(name: keyof typeof resNetVariants, options: ResNetOptions = {}): ResNet {
  const { depth, ...widths } = resNetVariants[name];
  return resnet(depth, over(widths, options));
}

/** ResNet-50 with 3x3 convolutions twice as wide. Zagoruyko and Komodakis, "Wide residual networks", 2016. 68,883,240 parameters. */
export const wideResNet50 = (options: ResNetOptions = {}): ResNet => resNetVariant('wide-resnet50-2', options);
/** ResNet-101 with 3x3 convolutions twice as wide. 126,886,696 parameters with 1000 classes. */
export const wideResNet101 = (options: ResNetOptions = {}): ResNet => resNetVariant('wide-resnet101-2', options);
/** ResNeXt-50 32x4d. Xie et al., "Aggregated residual transformations", 2017, table 1. 25,028,904 parameters with 1000 classes. */
export const resnext50 = (options: ResNetOptions = {}): ResNet => resNetVariant('resnext50-32x4d', options);
/** ResNeXt-101 32x8d. 88,791,336 parameters with 1000 classes. */
export const resnext101 = (options: ResNetOptions = {}): ResNet => resNetVariant('resnext101-32x8d', options);

export interface CifarResNetOptions extends ResNetOptions {
  /** Whether blocks are bottlenecks, 9 layers a block of each stage, in place of 6. Default: where depth is not 6n + 2, and at 164. */
  bottleneck?: boolean;
}

/**
 * The nets of both papers for 32x32 images: a 3x3 convolution of 16 channels, three stages of n blocks of width 16, 32, 64.
 * [n, inChannels, h, w] -> [n, classes]. Depth 6n + 2 (20, 32, 44, 56, 110): basic blocks and shortcuts without parameters ('pad',
 * He et al. 2016, section 4.2). Depth 9n + 2 (164, 1001): bottlenecks, before activation (version 'v2') and with projections, as in
 * He et al. 2016b, table 4. 10 classes, 3 channels by default. Throws ConfigError.
 */
export function cifarResNet(depth: number, options: CifarResNetOptions = {}): ResNet {
  checkOptions('cifarResNet', options, [...resNetOptionNames, 'bottleneck']);
  checkInteger('cifarResNet', 'depth', depth, 1);
  const { bottleneck = depth === 164 || (depth - 2) % 6 !== 0, ...others } = options;
  const spec = cifarSpec(depth, checkBoolean('cifarResNet', 'bottleneck', bottleneck));
  const own: ResNetOptions = bottleneck ? { version: 'v2', shortcut: 'projection' } : { shortcut: 'pad' };
  const defaults: ResNetOptions = { ...own, classes: 10, stem: 'cifar', widths: [16, 32, 64] };
  return new ResNet(architectureOf('cifarResNet', spec, over(defaults, others)));
}

export interface CustomResNetOptions extends ResNetOptions {
  /** Default 'basic'. */
  block?: ResNetSpec['block'];
  /** Blocks in each stage, of which there are one to four. */
  blocks?: readonly number[];
}

/**
 * A net of a depth of its own, such as `{ blocks: [1, 2, 2], widths: [32, 64, 128], stem: 'cifar' }`. [n, inChannels, h, w] ->
 * [n, classes]. `blocks` must be given; widths are 64, 128, 256, 512 by default. Throws ConfigError.
 */
export function customResNet(options: CustomResNetOptions): ResNet {
  checkOptions('customResNet', options, [...resNetOptionNames, 'block', 'blocks']);
  const { block, blocks, ...others } = options;
  const spec = checkSpec('customResNet', block ?? 'basic', blocks);
  const widths = [64, 128, 256, 512].slice(0, spec.blocks.length);
  return new ResNet(architectureOf('customResNet', spec, over({ widths }, others)));
}
