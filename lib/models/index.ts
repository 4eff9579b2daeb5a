// Nets that are ready to train.
export { chapterResNet18 } from './chapter.js';
export {
  type CifarResNetOptions,
  type CustomResNetOptions,
  cifarResNet,
  customResNet,
  resnet,
  resnet18,
  resnet34,
  resnet50,
  resnet101,
  resnet152,
  resnext50,
  resnext101,
  wideResNet50,
  wideResNet101,
} from './family.js';
export { byName, checkModelName, type ModelOptions, modelNames } from './registry.js';
export { ResNet } from './resnet.js';
export type { ResNetArchitecture, ResNetOptions, ResNetVersion } from './resnet-options.js';
export { cifarDepths, type ResNetDepth } from './resnet-specs.js';
