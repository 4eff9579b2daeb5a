// The builder of every residual net but the chapter's: a stem, stages of blocks, a classifier.
import { Initializer, MSRAPrelu, type RandomStream, Uniform } from '../init/index.js';
import { expansion } from '../nn/bottleneck-options.js';
import { declareRepeatable } from '../nn/forward-cache.js';
import {
  BasicBlock,
  BatchNorm,
  Block,
  Bottleneck,
  Conv2D,
  Dense,
  GlobalAvgPool2D,
  type InitializeOptions,
  MaxPool2D,
  PreActBasicBlock,
  PreActBottleneck,
  Sequential,
} from '../nn/index.js';
import { runSteps } from '../nn/sequential.js';
import type { Tensor } from '../tensor/tensor.js';
import type { ResNetArchitecture } from './resnet-options.js';

/**
 * A residual net. [n, inChannels, h, w] -> [n, classes], logits. He et al., "Deep residual learning for image recognition", 2016
 * (v1) and "Identity mappings in deep residual networks", 2016 (v2). Made by `models.resnet(depth, options)` and its like.
 * Parameters have torchvision's structural names ('layer1.0.conv1.weight'), with BatchNorm's called gamma, beta, runningMean,
 * runningVar.
 *
 * In v2 a ReLU of the block's first BatchNorm comes before both ways round where the shape changes, and before the branch alone
 * elsewhere; there is no BatchNorm after `conv1` but one, `bn`, after the last stage.
 */
export class ResNet extends Block {
  /** What it was made with, defaults included. */
  readonly architecture: ResNetArchitecture;
  readonly conv1: Conv2D;
  /** After conv1; null in v2. */
  readonly bn1: BatchNorm | null;
  /** Null with the CIFAR stem. */
  readonly maxpool: MaxPool2D | null;
  readonly layer1: Sequential;
  readonly layer2: Sequential | null;
  readonly layer3: Sequential | null;
  readonly layer4: Sequential | null;
  /** After the last stage; null but in v2. */
  readonly bn: BatchNorm | null;
  readonly avgpool: GlobalAvgPool2D;
  readonly fc: Dense;
  readonly #stages: readonly Sequential[];

  constructor(architecture: ResNetArchitecture) {
    super();
    this.architecture = architecture;
    const { version, classes, inChannels, stem, widths } = architecture;
    const channels = stemChannels(architecture);
    const isBig = stem === 'imagenet';
    const window = isBig ? { kernelSize: 7, strides: 2, padding: 3 } : { kernelSize: 3, padding: 1 };
    this.conv1 = new Conv2D(channels, { ...window, inChannels, useBias: false });
    this.bn1 = version === 'v2' ? null : new BatchNorm({ inChannels: channels });
    this.maxpool = isBig ? new MaxPool2D({ poolSize: 3, strides: 2, padding: 1 }) : null;
    this.#stages = stagesOf(architecture);
    const [layer1, layer2 = null, layer3 = null, layer4 = null] = this.#stages;
    this.layer1 = layer1 as Sequential;
    [this.layer2, this.layer3, this.layer4] = [layer2, layer3, layer4];
    const features = outputChannels(architecture, widths.at(-1) as number);
    this.bn = version === 'v2' ? new BatchNorm({ inChannels: features }) : null;
    this.avgpool = new GlobalAvgPool2D();
    this.fc = new Dense(classes, { inUnits: features });
  }

  /**
   * As for any block, but by default convolutions are drawn from the normal distribution of variance 2 / fan out (He et al.,
   * "Delving deep into rectifiers", 2015), and the classifier evenly within 1 / sqrt(fan in), as torchvision does.
   */
  override initialize(options: InitializeOptions = {}): void {
    super.initialize({ ...options, init: options?.init ?? new ResNetInitializer() });
  }

  override forward(x: Tensor): Tensor {
    const { bn1, maxpool, bn } = this;
    const steps = [
      (input: Tensor) => this.conv1.forward(input), // [n, stem, h / 2, w / 2]
      ...(bn1 ? [(features: Tensor) => bn1.forwardRelu(features)] : []),
      ...(maxpool ? [(features: Tensor) => maxpool.forward(features)] : []), // [n, stem, h / 4, w / 4]
      ...this.#stages.map((stage) => (features: Tensor) => stage.forward(features)),
      ...(bn ? [(features: Tensor) => bn.forwardRelu(features)] : []),
      (features: Tensor) => this.avgpool.forward(features), // [n, features, 1, 1]
      (features: Tensor) => this.fc.forward(features), // [n, classes]
    ];
    return runSteps(steps, x);
  }
}

declareRepeatable({ made: [ResNet] });

/** Channels after the stem: the first stage's width, so that a net of basic blocks keeps its shape there. */
const stemChannels = ({ widths }: ResNetArchitecture): number => widths[0] as number;

/** Output channels of blocks of this width. */
const outputChannels = ({ block }: ResNetArchitecture, width: number): number =>
  block === 'bottleneck' ? expansion * width : width;

/** All but the first stage halve height and width in their first block. */
function stagesOf(architecture: ResNetArchitecture): Sequential[] {
  let inChannels = stemChannels(architecture);
  return architecture.blocks.map((count, i) => {
    const width = architecture.widths[i] as number;
    const stage = new Sequential();
    for (let j = 0; j < count; j += 1) {
      stage.add(blockOf(architecture, width, inChannels, i > 0 && j === 0 ? 2 : 1));
      inChannels = outputChannels(architecture, width);
    }
    return stage;
  });
}

function blockOf(architecture: ResNetArchitecture, width: number, inChannels: number, strides: number): Block {
  const { block, version, groups, widthPerGroup, shortcut, residual, zeroInitResidual } = architecture;
  const options = { inChannels, strides, shortcut, residual, zeroInitResidual };
  if (block === 'basic') {
    return version === 'v2' ? new PreActBasicBlock(width, options) : new BasicBlock(width, options);
  }
  if (version === 'v2') return new PreActBottleneck(width, { ...options, groups, widthPerGroup });
  const stridesOn = version === 'v1' ? '1x1' : '3x3';
  return new Bottleneck(width, { ...options, groups, widthPerGroup, stridesOn });
}

/** torchvision's first values: convolution weights [out, in, kh, kw], the classifier's [out, in]. */
class ResNetInitializer extends Initializer {
  override values(shape: readonly number[], random: RandomStream): Float32Array {
    const init =
      shape.length === 4
        ? new MSRAPrelu({ factorType: 'out', slope: 0 })
        : new Uniform(1 / Math.sqrt(shape[1] as number));
    return init.values(shape, random);
  }
}
