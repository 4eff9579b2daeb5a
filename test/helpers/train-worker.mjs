// A worker thread that builds and trains a small net: workerData { library, seed, steps } -> its losses.
import { parentPort, workerData } from 'node:worker_threads';

const { library, seed, steps } = workerData;
const residua = await import(library);
const { autograd, init, loss, nn, tensor, tidy, Trainer } = residua;

residua.seed(seed);
const net = new nn.Sequential().add(
  new nn.Conv2D(8, { kernelSize: 3, padding: 1 }),
  new nn.BatchNorm(),
  new nn.Activation('relu'),
  new nn.MaxPool2D(),
  new nn.Dense(4),
);
net.initialize({ init: new init.Xavier() });
const x = residua.uniform([16, 1, 12, 12]);
const labels = tensor(Int32Array.from({ length: 16 }, (_, i) => i % 4));
const lossOf = new loss.SoftmaxCrossEntropyLoss();
const trainer = new Trainer(collect(net), 'sgd', { learningRate: 0.1, momentum: 0.9 });

const losses = [];
for (let step = 0; step < steps; step += 1) {
  const sampleLosses = autograd.record(() => lossOf.forward(net.forward(x), labels));
  sampleLosses.backward();
  trainer.step(16);
  const mean = tidy(() => sampleLosses.mean());
  losses.push((await mean.data())[0]);
  mean.dispose();
  sampleLosses.dispose();
}
parentPort.postMessage(losses);

/** The parameters, with the shapes that a first forward tells. */
function collect(block) {
  tidy(() => block.forward(x));
  return block.collectParams();
}
