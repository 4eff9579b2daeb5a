// Trains a small residual net on part of Fashion-MNIST, saves it, loads it into another one and predicts with that.
import { cpu, data, init, nn, residualStage, Trainer, trainCh5 } from 'residua';

function makeNet(): nn.Sequential {
  const stem = [
    new nn.Conv2D(32, { kernelSize: 5, strides: 2, padding: 2 }),
    new nn.BatchNorm(),
    new nn.Activation('relu'),
  ];
  return new nn.Sequential().add(...stem, residualStage(64, 1), new nn.GlobalAvgPool2D(), new nn.Dense(10));
}
const net = makeNet();
net.initialize({ init: new init.Xavier() });
const [trainIter, testIter] = await data.loadDataFashionMnist(128, { limit: 12_000 });
const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.1, momentum: 0.9 });
await trainCh5(net, trainIter, testIter, 128, trainer, cpu(), 3);

await net.saveParameters('quickstart.safetensors');
const copy = makeNet();
await copy.loadParameters('quickstart.safetensors');
for await (const [X, y] of testIter) {
  const guesses = copy.forward(X).argmax(1); // [batch]
  console.log('predicted', [...(await guesses.data()).slice(0, 12)], 'true', [...(await y.data()).slice(0, 12)]);
  break;
}
