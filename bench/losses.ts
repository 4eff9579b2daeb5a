// Whether bfloat16 learns as float32 does: the chapter's net on all of Fashion-MNIST at 28x28, the same weights and batches in both. Writes
// bench/results/losses.json. npm run bench -- losses [--epochs 5] [--limit 60000] [--lr 0.05] [--seed 0] [--out FILE.json]
import {
  cpu,
  data,
  type History,
  init,
  models,
  type Precision,
  seed,
  setPrecision,
  Trainer,
  trainCh5,
} from '../lib/index.js';
import { integer, main, parseOptions, positive } from './arguments.js';
import { writeResult } from './harness.js';

const [batch, device] = [256, cpu()];

async function trained(precision: Precision, epochs: number, options: Settings): Promise<History['epochs']> {
  seed(options.seed);
  setPrecision(precision);
  const [train, test] = await data.loadDataFashionMnist(batch, { device, limit: options.limit });
  const net = models.chapterResNet18();
  net.initialize({ init: new init.Xavier(), device });
  const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: options.learningRate });
  const log = (line: string): void => void process.stdout.write(`${precision}: ${line}\n`);
  return (await trainCh5(net, train, test, batch, trainer, device, epochs, { log })).epochs;
}

interface Settings {
  seed: number;
  limit: number;
  learningRate: number;
}

await main(async () => {
  const values = parseOptions({
    epochs: { type: 'string', default: '5' },
    limit: { type: 'string', default: '60000' },
    lr: { type: 'string', default: '0.05' },
    seed: { type: 'string', default: '0' },
    out: { type: 'string', default: '' },
  });
  const epochs = integer('epochs', values.epochs);
  const settings = {
    seed: integer('seed', values.seed, 0),
    limit: integer('limit', values.limit),
    learningRate: positive('lr', values.lr),
  };
  const losses: Partial<Record<Precision, number[]>> = {};
  const testAccuracies: Partial<Record<Precision, number[]>> = {};
  for (const precision of ['float32', 'bfloat16'] as const) {
    const records = await trained(precision, epochs, settings);
    losses[precision] = records.map(({ loss }) => Number(loss.toFixed(5)));
    testAccuracies[precision] = records.map(({ testAccuracy }) => testAccuracy);
  }
  const { float32 = [], bfloat16 = [] } = losses;
  const ratios = bfloat16.map((loss, i) => Number((loss / (float32[i] as number)).toFixed(4)));
  writeResult(
    'losses',
    { net: "the chapter's ResNet-18 at 28x28", batch, ...settings, losses, testAccuracies, ratios },
    values.out,
  );
  process.stdout.write(`bfloat16 against float32, epoch by epoch: ${ratios.join(' ')}\n`);
});
