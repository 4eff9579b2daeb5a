// Which layers and blocks repeat their forward pass (forward-cache.ts): all but Dropout, which draws random numbers.
import { Activation } from './activation.js';
import { BasicBlock } from './basic-block.js';
import { BatchNorm } from './batch-norm.js';
import { Bottleneck } from './bottleneck.js';
import { Conv2D } from './conv2d.js';
import { Dense } from './dense.js';
import { Flatten } from './flatten.js';
import { declareRepeatable } from './forward-cache.js';
import { PadShortcut } from './pad-shortcut.js';
import { AvgPool2D, GlobalAvgPool2D, MaxPool2D } from './pooling.js';
import { PreActBasicBlock } from './pre-act-basic-block.js';
import { PreActBottleneck } from './pre-act-bottleneck.js';
import { Residual } from './residual.js';
import { Sequential } from './sequential.js';

declareRepeatable({
  layers: [Conv2D, BatchNorm, Activation, MaxPool2D, AvgPool2D, GlobalAvgPool2D, Dense, Flatten, PadShortcut],
  made: [Sequential, Residual, BasicBlock, Bottleneck, PreActBasicBlock, PreActBottleneck],
});
