// The nets that are measured, by names such as 'r18@96': the chapter's ResNet-18 on one channel with 10 classes, and 'resnet50@224' or
// 'cifar-resnet20@32': those of the family on three channels with ImageNet's 1000 classes or CIFAR's 10.
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

/** The model of a name; throws an ArgumentError that lists what there is. */
export function modelOf(name: string): BenchModel {
  const [, net = '', side = ''] = /^(.+)@(\d+)$/.exec(name) ?? [];
  const size = Number(side);
  if (size < 1 || (net !== 'r18' && !familyNames.includes(net)))
    throw new ArgumentError(
      `Expected a model 'r18@SIZE' or 'NAME@SIZE' with a name of ${familyNames.join(', ')}, got '${name}'.`,
    );
  const isChapter = net === 'r18';
  return {
    name,
    title: `${isChapter ? 'R18' : titleOf(net)} at ${size}x${size}`,
    classes: isChapter || net.startsWith('cifar') ? 10 : 1000,
    imageShape: [isChapter ? 1 : 3, size, size],
    make: () => (isChapter ? models.chapterResNet18() : models.byName(net)),
  };
}

const familyNames = models.modelNames.filter((name) => !['chapter-resnet18', 'resnet'].includes(name));

/** 'wide-resnet50-2' -> "Wide ResNet-50-2" */
const titleOf = (net: string): string =>
  net
    .replace('cifar-', 'CIFAR ')
    .replace('wide-', 'Wide ')
    .replace(/resnet(\d)/, 'ResNet-$1')
    .replace(/resnext(\d+)-/, 'ResNeXt-$1 ')
    .replace(/-(v\d)$/, ' $1');

/** The net with values, its deferred sizes settled, on the current device. Nothing of it has been cast to 16 bits yet. */
export function initialised(model: BenchModel): nn.Block {
  const net = model.make();
  net.initialize({ init: new init.Xavier() });
  autocast('float32', () => net.forward(uniform([1, ...model.imageShape])).dispose());
  return net;
}
