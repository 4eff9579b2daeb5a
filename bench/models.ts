// The nets that are measured, by names such as 'r18@96': the chapter's ResNet-18 on one channel with 10 classes, and
// 'resnet50@224': those of the family (v1.5) on three channels with 1000 classes.
import { autocast, init, models, type nn, uniform } from '../lib/index.js';
import { ArgumentError } from './arguments.js';

export interface BenchModel {
  name: string;
  /** As in tables: "R18 at 96x96". */
  title: string;
  classes: number;
  /** Of one image: [channels, height, width]. */
  imageShape: readonly [number, number, number];
  make: () => nn.Block;
}

const depths = [18, 34, 50, 101, 152];

/** The model of a name; throws an ArgumentError that lists what there is. */
export function modelOf(name: string): BenchModel {
  const [, net = '', depth = '', side = ''] = /^(r18|resnet(\d+))@(\d+)$/.exec(name) ?? [];
  const size = Number(side);
  if (!net || size < 1 || (depth !== '' && !depths.includes(Number(depth)))) {
    throw new ArgumentError(
      `Expected a model 'r18@SIZE' or 'resnetDEPTH@SIZE' with a depth of ${depths.join(', ')}, got '${name}'.`,
    );
  }
  if (net === 'r18')
    return {
      name,
      title: `R18 at ${size}x${size}`,
      classes: 10,
      imageShape: [1, size, size],
      make: () => models.chapterResNet18(),
    };
  return {
    name,
    title: `ResNet-${depth} at ${size}x${size}`,
    classes: 1000,
    imageShape: [3, size, size],
    make: () => models.byName(net),
  };
}

/** The net with values, its deferred sizes settled, on the current device. Nothing of it has been cast to 16 bits yet. */
export function initialised(model: BenchModel): nn.Block {
  const net = model.make();
  net.initialize({ init: new init.Xavier() });
  autocast('float32', () => net.forward(uniform([1, ...model.imageShape])).dispose());
  return net;
}
