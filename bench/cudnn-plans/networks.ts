// The layers of the networks that cuDNN plans are wanted for, with the sizes of their inputs.

/** Of one image: [channels, height, width]. */
export type Size = readonly [number, number, number];

export interface ConvLayer {
  kind: 'conv2d';
  input: Size;
  channels: number;
  kernel: number;
  stride: number;
  padding: number;
  bias: boolean;
  /** Whether the gradient of its input is wanted: not for the first layer. */
  inputGradient: boolean;
}

export interface BatchNormLayer {
  kind: 'batchNorm';
  input: Size;
  tail: 'none' | 'relu' | 'add_relu';
}

export interface MaxPoolLayer {
  kind: 'maxPool2d';
  input: Size;
  pool: number;
  stride: number;
  padding: number;
}

export type Layer = ConvLayer | BatchNormLayer | MaxPoolLayer;

export interface Network {
  name: string;
  layers: Layer[];
}

/** Notes the layers of a network while the size of the image flows through it. */
class Tracer {
  readonly layers: Layer[] = [];
  constructor(private readonly bias: boolean) {}

  conv(input: Size, channels: number, kernel: number, stride: number): Size {
    const padding = kernel >> 1;
    const inputGradient = this.layers.length > 0;
    this.layers.push({ kind: 'conv2d', input, channels, kernel, stride, padding, bias: this.bias, inputGradient });
    return [channels, outputSize(input[1], kernel, stride, padding), outputSize(input[2], kernel, stride, padding)];
  }

  batchNorm(input: Size, ...tails: BatchNormLayer['tail'][]): Size {
    for (const tail of tails) this.layers.push({ kind: 'batchNorm', input, tail });
    return input;
  }

  maxPool(input: Size, pool: number, stride: number, padding: number): Size {
    this.layers.push({ kind: 'maxPool2d', input, pool, stride, padding });
    return [input[0], outputSize(input[1], pool, stride, padding), outputSize(input[2], pool, stride, padding)];
  }

  /** 7x7 convolution, BatchNorm, ReLU, max pooling. */
  stem(image: Size): Size {
    return this.maxPool(this.batchNorm(this.conv(image, 64, 7, 2), 'relu'), 3, 2, 1);
  }
}

function outputSize(input: number, kernel: number, stride: number, padding: number): number {
  return Math.floor((input + 2 * padding - kernel) / stride) + 1;
}

// Op by op the end of a block is a BatchNorm and then addRelu; a captured step makes them one.
const blockEnd = ['none', 'add_relu'] as const;

/** Residual blocks of two 3x3 convolutions. The shortcut's BatchNorm: the chapter has none. */
function basicNet(name: string, image: Size, blocks: readonly number[], chapter: boolean): Network {
  const net = new Tracer(chapter);
  let x = net.stem(image);
  blocks.forEach((count, stage) => {
    for (let i = 0; i < count; i += 1) {
      const channels = 64 << stage;
      const stride = stage > 0 && i === 0 ? 2 : 1;
      const hidden = net.batchNorm(net.conv(x, channels, 3, stride), 'relu');
      const y = net.batchNorm(net.conv(hidden, channels, 3, 1), ...blockEnd);
      if (stride > 1) {
        const shortcut = net.conv(x, channels, 1, stride);
        if (!chapter) net.batchNorm(shortcut, 'none');
      }
      x = y;
    }
  });
  return { name, layers: net.layers };
}

/** Bottlenecks of 1x1, 3x3 (which has the stride) and 1x1 convolutions. */
function bottleneckNet(name: string, image: Size, blocks: readonly number[]): Network {
  const net = new Tracer(false);
  let x = net.stem(image);
  blocks.forEach((count, stage) => {
    for (let i = 0; i < count; i += 1) {
      const channels = 64 << stage;
      const stride = stage > 0 && i === 0 ? 2 : 1;
      const narrow = net.batchNorm(net.conv(x, channels, 1, 1), 'relu');
      const middle = net.batchNorm(net.conv(narrow, channels, 3, stride), 'relu');
      const y = net.batchNorm(net.conv(middle, 4 * channels, 1, 1), ...blockEnd);
      if (i === 0) net.batchNorm(net.conv(x, 4 * channels, 1, stride), 'none');
      x = y;
    }
  });
  return { name, layers: net.layers };
}

export const networks: readonly Network[] = [
  basicNet('chapterResNet18', [1, 96, 96], [2, 2, 2, 2], true),
  basicNet('ResNet-18', [3, 224, 224], [2, 2, 2, 2], false),
  bottleneckNet('ResNet-50', [3, 224, 224], [3, 4, 6, 3]),
  bottleneckNet('ResNet-152', [3, 224, 224], [3, 8, 36, 3]),
];
