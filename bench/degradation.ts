// The degradation that the chapter opens with, and its cure: plain nets, residual nets v1 and v2 of 20 and 56 layers (`cifarResNet`) on
// Fashion-MNIST at 28x28, each with the same data, budget and seed. SGD as in He et al. 2016, section 4.2: momentum 0.9, weight decay
// 1e-4, a tenth of the learning rate after half of the updates, a hundredth after three quarters; no augmentation.
// Writes bench/results/degradation.json after each net, and degradation.svg beside it.
// npm run bench -- degradation [--epochs 8] [--limit 60000] [--depths 20,56] [--kinds plain,v1,v2] [--batch 128] [--lr 0.1]
//   [--precision float32] [--seed 1] [--out FILE.json]
import {
  cpu,
  type Device,
  data,
  lrScheduler,
  models,
  type Precision,
  seed,
  setDevice,
  setPrecision,
  Trainer,
  trainCh5,
  tryGpu,
} from '../lib/index.js';
import { integer, integers, main, parseOptions, positive, words } from './arguments.js';
import { type Curve, degradationChart, type Kind, kinds } from './charts/degradation.js';
import { resultFile, writeResult, writeText } from './harness.js';

interface Settings {
  epochs: number;
  batch: number;
  learningRate: number;
  seed: number;
  device: Device;
}

type Loaders = Awaited<ReturnType<typeof data.loadDataFashionMnist>>;

const netOf = (kind: Kind, depth: number): models.ResNet =>
  models.cifarResNet(depth, {
    inChannels: 1,
    residual: kind !== 'plain',
    version: kind === 'v2' ? 'v2' : 'v1',
  });

async function trained(kind: Kind, depth: number, [train, test]: Loaders, settings: Settings): Promise<Curve> {
  const { epochs, batch, learningRate, device } = settings;
  seed(settings.seed);
  const net = netOf(kind, depth);
  net.initialize({ device });
  const updates = epochs * Math.ceil(train.dataset.length / batch);
  const step = [...new Set([0.5, 0.75].map((part) => Math.max(1, Math.round(part * updates))))];
  const trainer = new Trainer(net.collectParams(), 'sgd', {
    momentum: 0.9,
    wd: 1e-4,
    lrScheduler: new lrScheduler.MultiFactorScheduler({ step, factor: 0.1, baseLr: learningRate }),
  });
  const log = (text: string): void => void process.stdout.write(`${kind} ${depth}: ${text}\n`);
  const history = await trainCh5(net, train, test, batch, trainer, device, epochs, { log });
  const rounded = (error: number): number => Number(error.toFixed(5));
  return {
    kind,
    depth,
    trainError: history.epochs.map(({ trainAccuracy }) => rounded(1 - trainAccuracy)),
    testError: history.epochs.map(({ testAccuracy }) => rounded(1 - testAccuracy)),
  };
}

await main(async () => {
  const given = parseOptions({
    epochs: { type: 'string', default: '8' },
    limit: { type: 'string', default: '60000' },
    depths: { type: 'string', default: '20,56' },
    kinds: { type: 'string', default: kinds.join(',') },
    batch: { type: 'string', default: '128' },
    lr: { type: 'string', default: '0.1' },
    precision: { type: 'string', default: 'float32' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string', default: resultFile('degradation') },
  });
  const device = process.env.RESIDUA_DEVICE === 'cpu' ? cpu() : tryGpu();
  setDevice(device);
  const [precision] = words('precision', given.precision, ['float32', 'bfloat16', 'float16'] satisfies Precision[]);
  setPrecision(precision as Precision);
  const settings: Settings = {
    epochs: integer('epochs', given.epochs),
    batch: integer('batch', given.batch),
    learningRate: positive('lr', given.lr),
    seed: integer('seed', given.seed, 0),
    device,
  };
  const limit = integer('limit', given.limit);
  const loaders = await data.loadDataFashionMnist(settings.batch, { device, limit });
  const images = loaders.map(({ dataset }) => dataset.length);
  const curves: Curve[] = [];
  for (const depth of integers('depths', given.depths))
    for (const kind of words('kinds', given.kinds, kinds)) {
      curves.push(await trained(kind, depth, loaders, settings));
      const { device: on, ...numbers } = settings;
      writeResult('degradation', { device: on.name, precision, images, ...numbers, curves }, given.out);
    }
  const count = (n = 0): string => n.toLocaleString('en-US');
  const subtitle =
    `Fashion-MNIST, 28x28 pixels, ${count(images[0])} training and ${count(images[1])} test images; ${settings.epochs} epochs ` +
    `in batches of ${settings.batch}, learning rate ${settings.learningRate}`;
  writeText(given.out.replace(/(\.json)?$/, '.svg'), await degradationChart(curves, subtitle));
});
