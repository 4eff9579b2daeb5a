// A small net with batch normalisation and dropout, and data for it: tests of `fit`, also in a child process.
import { DataLoader, type Dataset } from '../../lib/data/index.js';
import type { Device } from '../../lib/device.js';
import { Xavier } from '../../lib/init/index.js';
import * as nn from '../../lib/nn/index.js';
import { Trainer } from '../../lib/optim/index.js';
import { CosineScheduler } from '../../lib/optim/lr-scheduler.js';
import { seed } from '../../lib/tensor/random.js';
import { brightPixels } from './problems.js';

export interface Problem {
  net: nn.Sequential;
  trainer: Trainer;
  train: DataLoader<Dataset>;
  validation: DataLoader<Dataset>;
}

/** Everything new, from one seed: 50 images in batches of 8, the last of 2. `units`: width of the hidden layer. */
export function fitProblem(device: Device, units = 6, optimizer: 'sgd' | 'adamw' = 'sgd'): Problem {
  seed(7);
  const net = new nn.Sequential().add(
    new nn.Conv2D(4, { kernelSize: 3, padding: 1 }),
    new nn.BatchNorm(),
    new nn.Activation('relu'),
    new nn.Dense(units, { activation: 'relu' }),
    new nn.Dropout(0.3),
    new nn.Dense(3),
  );
  net.initialize({ init: new Xavier(), device });
  const baseLr = optimizer === 'adamw' ? 0.01 : 0.2;
  const lrScheduler = new CosineScheduler({ maxUpdate: 40, baseLr, warmupSteps: 3 });
  const trainer =
    optimizer === 'adamw'
      ? new Trainer(net.collectParams(), 'adamw', { lrScheduler })
      : new Trainer(net.collectParams(), 'sgd', { momentum: 0.9, wd: 1e-3, lrScheduler });
  const train = new DataLoader(brightPixels(50), { batchSize: 8, shuffle: true, device });
  const validation = new DataLoader(brightPixels(20), { batchSize: 8, device });
  return { net, trainer, train, validation };
}

/** All parameters and running statistics as bits. */
export function bitsOf(net: nn.Block): Record<string, string> {
  const values = [...net.collectParams()].map(([name, parameter]): [string, string] => {
    const data = parameter.data().dataSync() as Float32Array;
    return [name, Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex')];
  });
  return Object.fromEntries(values);
}
