// Whether bfloat16 learns as float32 does: the chapter's net on all of Fashion-MNIST at 28x28. Each seed gives both the same first weights and
// batches. Trainings part soon, as they do with another seed, so it is means over seeds that are compared, with their standard errors.
// Writes bench/results/losses.json, anew after each seed.
// npm run bench -- losses [--seeds 8] [--first-seed 0] [--epochs 5] [--limit 60000] [--lr 0.05] [--out FILE.json]
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
import { meanWithError, ratioOfMeans } from './seeds.js';

const [batch, device] = [256, cpu()];
const precisions = ['float32', 'bfloat16'] as const satisfies readonly Precision[];

interface Settings {
  epochs: number;
  limit: number;
  learningRate: number;
}

/** Losses and test accuracies by precision, seed and epoch. */
type Trainings = Record<(typeof precisions)[number], { losses: number[]; testAccuracies: number[] }[]>;

async function trained(precision: Precision, seedValue: number, settings: Settings): Promise<History['epochs']> {
  seed(seedValue);
  setPrecision(precision);
  const [train, test] = await data.loadDataFashionMnist(batch, { device, limit: settings.limit });
  const net = models.chapterResNet18();
  net.initialize({ init: new init.Xavier(), device });
  const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: settings.learningRate });
  const log = (line: string): void => void process.stdout.write(`seed ${seedValue}, ${precision}: ${line}\n`);
  return (await trainCh5(net, train, test, batch, trainer, device, settings.epochs, { log })).epochs;
}

/** What the trainings say together, epoch by epoch: means over seeds and the ratio of means, each with its standard error. */
function summary(trainings: Trainings, epochs: number) {
  const byEpoch = <T>(of: (epoch: number) => T): T[] => Array.from({ length: epochs }, (_, epoch) => of(epoch));
  const losses = (precision: keyof Trainings, epoch: number): number[] =>
    trainings[precision].map((training) => training.losses[epoch] as number);
  return {
    means: Object.fromEntries(
      precisions.map((precision) => [precision, byEpoch((epoch) => meanWithError(losses(precision, epoch)))]),
    ),
    ratios: byEpoch((epoch) => ratioOfMeans(losses('bfloat16', epoch), losses('float32', epoch))),
  };
}

await main(async () => {
  const values = parseOptions({
    seeds: { type: 'string', default: '8' },
    'first-seed': { type: 'string', default: '0' },
    epochs: { type: 'string', default: '5' },
    limit: { type: 'string', default: '60000' },
    lr: { type: 'string', default: '0.05' },
    out: { type: 'string', default: '' },
  });
  const [seeds, firstSeed] = [integer('seeds', values.seeds), integer('first-seed', values['first-seed'], 0)];
  const settings = {
    epochs: integer('epochs', values.epochs),
    limit: integer('limit', values.limit),
    learningRate: positive('lr', values.lr),
  };
  const trainings: Trainings = { float32: [], bfloat16: [] };
  for (let i = 0; i < seeds; i++) {
    for (const precision of precisions) {
      const records = await trained(precision, firstSeed + i, settings);
      trainings[precision].push({
        losses: records.map(({ loss }) => Number(loss.toFixed(5))),
        testAccuracies: records.map(({ testAccuracy }) => testAccuracy),
      });
    }
    const { means, ratios } = summary(trainings, settings.epochs);
    const net = "the chapter's ResNet-18 at 28x28";
    writeResult('losses', { net, batch, ...settings, firstSeed, seeds: i + 1, ratios, means, trainings }, values.out);
    const shown = ratios.map(({ value, error }) => `${value.toFixed(3)} +-${error?.toFixed(3) ?? '?'}`).join(', ');
    process.stdout.write(`bfloat16's losses to float32's, epoch by epoch, ${i + 1} seeds: ${shown}\n`);
  }
});
