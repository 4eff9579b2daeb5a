// What the residual blocks are made of: convolutions without bias, the way round the block, the sum at its end.
import { isTraining } from '../autograd/tape.js';
import { One, Zero } from '../init/index.js';
import { addRelu } from '../ops/index.js';
import { checkBoolean, checkChoice, checkInteger, checkOptions } from '../options.js';
import { tidy } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { BatchNorm } from './batch-norm.js';
import type { Block } from './block.js';
import { Conv2D } from './conv2d.js';
import { PadShortcut } from './pad-shortcut.js';
import { Sequential } from './sequential.js';

/** What a shortcut does where the block changes the shape: a 1x1 convolution (He et al.'s option B) or zeros for the new channels (A). */
export type ShortcutKind = 'projection' | 'pad';

export interface ResidualBlockOptions {
  /** Channels of the input. */
  inChannels: number;
  /** Of height and width, and of the shortcut. Default 1. */
  strides?: number;
  /** The way round where the shape changes; elsewhere it is the input itself. Default 'projection'. */
  shortcut?: ShortcutKind;
  /** Whether there is a way round at all: without it the block is one of a plain net. Default true. */
  residual?: boolean;
  /**
   * Whether the block starts as its shortcut alone: the last factor of its branch is drawn as zeros. Goyal et al., "Accurate,
   * large minibatch SGD", 2017, section 5.1. Default false.
   */
  zeroInitResidual?: boolean;
}

const optionNames = ['inChannels', 'strides', 'shortcut', 'residual', 'zeroInitResidual'];

/** The options with their defaults, checked. `more`: names of options that the block has besides. */
export function checkBlockOptions(
  where: string,
  options: ResidualBlockOptions,
  more: readonly string[] = [],
): Required<ResidualBlockOptions> {
  checkOptions(where, options, [...optionNames, ...more]);
  return {
    inChannels: checkInteger(where, 'inChannels', options.inChannels, 1),
    strides: checkInteger(where, 'strides', options.strides ?? 1, 1),
    shortcut: checkChoice(where, 'shortcut', options.shortcut ?? 'projection', ['projection', 'pad']),
    residual: checkBoolean(where, 'residual', options.residual ?? true),
    zeroInitResidual: checkBoolean(where, 'zeroInitResidual', options.zeroInitResidual ?? false),
  };
}

/** A convolution without bias that keeps height and width but for its strides. `zero`: its weight starts at 0. */
export function convolution(
  inChannels: number,
  channels: number,
  kernelSize: number,
  { strides = 1, groups = 1, zero = false } = {},
): Conv2D {
  return new Conv2D(channels, {
    kernelSize,
    strides,
    padding: (kernelSize - 1) / 2,
    groups,
    useBias: false,
    inChannels,
    weightInitializer: zero ? new Zero() : undefined,
  });
}

/** BatchNorm of so many channels. `zero`: its gamma starts at 0. */
export function norm(inChannels: number, { zero = false } = {}): BatchNorm {
  return new BatchNorm({ inChannels, gammaInitializer: zero ? new Zero() : new One() });
}

/**
 * The way round a block of `channels` output channels: null where it is the input itself, or where there is none.
 * A projection has a BatchNorm of its own except before activation (`withNorm` false).
 */
export function downsampleFor(
  channels: number,
  { inChannels, strides, shortcut, residual }: Required<ResidualBlockOptions>,
  withNorm: boolean,
): Sequential | PadShortcut | null {
  if (!residual || (strides === 1 && inChannels === channels)) return null;
  if (shortcut === 'pad') return new PadShortcut(channels, { inChannels, strides });
  const projection = new Sequential().add(convolution(inChannels, channels, 1, { strides }));
  return withNorm ? projection.add(norm(channels)) : projection;
}

/** relu(bn(branch()) + shortcut()), or without `shortcut` relu(bn(branch())). x: the block's input. */
export function endOfBlock(x: Tensor, bn: BatchNorm, branch: () => Tensor, shortcut: (() => Tensor) | null): Tensor {
  if (!shortcut) return bn.forwardRelu(branch());
  if (fusesEnd(x)) return bn.forwardAddRelu(branch(), shortcut());
  const y = tidy(() => bn.forward(branch()));
  return addRelu(y, shortcut());
}

/** The way round: x, or what `downsample` makes of it. */
export function wayRound(x: Tensor, downsample: Block | null): Tensor {
  return downsample ? downsample.forward(x) : x;
}

/**
 * Whether the end of the block, norm + sum + ReLU, runs as one op: where cuDNN has an engine for it. On the CPU it would be
 * the same two passes over memory; in prediction the norm may be folded into the convolution before it.
 */
const fusesEnd = (x: Tensor): boolean => x.device.kind === 'gpu' && isTraining();
