// The chapter's ResNet-18. "Dive into Deep Learning", section 7.6 (residual networks).
import { Activation, BatchNorm, Conv2D, Dense, GlobalAvgPool2D, MaxPool2D, Residual, Sequential } from '../nn/index.js';
import { checkBoolean, checkInteger, checkOptions } from '../options.js';

/**
 * The chapter's `resnet_block`: residual blocks of equal width. The first of them halves height and width and changes
 * the number of channels, except in the net's first stage (`firstBlock`), where a pooling layer did so before.
 */
export function residualStage(numChannels: number, numResiduals: number, firstBlock = false): Sequential {
  checkInteger('residualStage', 'numChannels', numChannels, 1);
  checkInteger('residualStage', 'numResiduals', numResiduals, 1);
  checkBoolean('residualStage', 'firstBlock', firstBlock);
  const stage = new Sequential();
  for (let i = 0; i < numResiduals; i += 1) {
    const isFirst = i === 0 && !firstBlock;
    stage.add(new Residual(numChannels, isFirst ? { use1x1Conv: true, strides: 2 } : {}));
  }
  return stage;
}

/**
 * The chapter's net, layer for layer: 7x7 convolution, BatchNorm, ReLU, max pooling, four stages of two residual
 * blocks, global average pooling, dense. [n, channels, h, w] -> [n, classes], logits. 11,178,378 trainable parameters
 * with one input channel and 10 classes.
 */
export function chapterResNet18(options: { classes?: number } = {}): Sequential {
  checkOptions('chapterResNet18', options, ['classes']);
  const classes = checkInteger('chapterResNet18', 'classes', options.classes ?? 10, 1);
  return new Sequential().add(
    new Conv2D(64, { kernelSize: 7, strides: 2, padding: 3 }),
    new BatchNorm(),
    new Activation('relu'),
    new MaxPool2D({ poolSize: 3, strides: 2, padding: 1 }),
    residualStage(64, 2, true),
    residualStage(128, 2),
    residualStage(256, 2),
    residualStage(512, 2),
    new GlobalAvgPool2D(),
    new Dense(classes),
  );
}
