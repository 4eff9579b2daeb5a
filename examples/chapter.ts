// The chapter "Residual Networks (ResNet)" cell by cell, with its own names: run with `npx tsx examples/chapter.ts`.
// For a short run: --limit 512 --resize 28 --epochs 1
import { parseArgs } from 'node:util';
import { data, init, nn, ops, type Tensor, Trainer, trainCh5, tryGpu, uniform } from 'residua';

const { values: options } = parseArgs({
  options: {
    limit: { type: 'string' },
    resize: { type: 'string', default: '96' },
    epochs: { type: 'string', default: '5' },
  },
});

// ---- Residual blocks

class Residual extends nn.Block {
  conv1: nn.Conv2D;
  conv2: nn.Conv2D;
  conv3: nn.Conv2D | null;
  bn1 = new nn.BatchNorm();
  bn2 = new nn.BatchNorm();

  constructor(numChannels: number, { use1x1Conv = false, strides = 1 } = {}) {
    super();
    this.conv1 = new nn.Conv2D(numChannels, { kernelSize: 3, padding: 1, strides });
    this.conv2 = new nn.Conv2D(numChannels, { kernelSize: 3, padding: 1 });
    this.conv3 = use1x1Conv ? new nn.Conv2D(numChannels, { kernelSize: 1, strides }) : null;
  }

  forward(X: Tensor): Tensor {
    let Y = this.bn1.forward(this.conv1.forward(X)).relu();
    Y = this.bn2.forward(this.conv2.forward(Y));
    if (this.conv3) X = this.conv3.forward(X);
    return ops.relu(Y.add(X));
  }
}

let blk = new Residual(3);
blk.initialize();
let X = uniform([4, 3, 6, 6]);
console.log(blk.forward(X).shape);

blk = new Residual(6, { use1x1Conv: true, strides: 2 });
blk.initialize();
console.log(blk.forward(X).shape);

// ---- The ResNet model

const net = new nn.Sequential();
net.add(
  new nn.Conv2D(64, { kernelSize: 7, strides: 2, padding: 3 }),
  new nn.BatchNorm(),
  new nn.Activation('relu'),
  new nn.MaxPool2D({ poolSize: 3, strides: 2, padding: 1 }),
);

function resnetBlock(numChannels: number, numResiduals: number, firstBlock = false): nn.Sequential {
  const blk = new nn.Sequential();
  for (let i = 0; i < numResiduals; i++) {
    if (i === 0 && !firstBlock) blk.add(new Residual(numChannels, { use1x1Conv: true, strides: 2 }));
    else blk.add(new Residual(numChannels));
  }
  return blk;
}

net.add(resnetBlock(64, 2, true), resnetBlock(128, 2), resnetBlock(256, 2), resnetBlock(512, 2));
net.add(new nn.GlobalAvgPool2D(), new nn.Dense(10));

X = uniform([1, 1, 224, 224]);
net.initialize();
for (const layer of net) {
  X = layer.forward(X);
  console.log(layer.name, 'output shape:\t', X.shape);
}

// ---- Data acquisition and training

const [lr, numEpochs, batchSize, device] = [0.05, Number(options.epochs), 256, tryGpu()];
net.initialize({ forceReinit: true, device, init: new init.Xavier() });
const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: lr });
const [trainIter, testIter] = await data.loadDataFashionMnist(batchSize, {
  resize: Number(options.resize),
  limit: options.limit === undefined ? undefined : Number(options.limit),
  device,
});
await trainCh5(net, trainIter, testIter, batchSize, trainer, device, numEpochs);
