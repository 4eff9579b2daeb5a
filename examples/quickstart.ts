// Trains a small residual net on part of Fashion-MNIST, saves it, loads it into another one and predicts with that.
import { cpu, data, init, nn, residualStage, seed, Trainer, trainCh5 } from 'residua';

function makeNet(): nn.Sequential {
  const stem = [new nn.Conv2D(16, { kernelSize: 5, strides: 2, padding: 2 }), new nn.BatchNorm()];
  return new nn.Sequential().add(...stem, residualStage(32, 1), new nn.GlobalAvgPool2D(), new nn.Dense(10));
}
seed(1);
const net = makeNet();
net.initialize({ init: new init.Xavier() });
const [trainIter, testIter] = await data.loadDataFashionMnist(64, { limit: 6000 });
const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.1, momentum: 0.9 });
await trainCh5(net, trainIter, testIter, 64, trainer, cpu(), 2);

await net.saveParameters('quickstart.safetensors');
const copy = makeNet();
await copy.loadParameters('quickstart.safetensors');
for await (const [X, y] of testIter) {
  const guesses = await copy.forward(X).argmax(1).data(); // [batch]
  console.log('predicted', guesses.slice(0, 10).join(' '));
  console.log('true     ', (await y.data()).slice(0, 10).join(' '));
  break;
}
