// One run of a recipe in residua, evaluated after each epoch; prints one JSON line (a RecipeRun) for bench/recipe.ts.
// recipe-run.ts --recipe FILE --seed 1 [--epochs N]
import { buildRun, readConfigFile, resolveConfig } from '../lib/config/index.js';
import { cpu, fit, setDevice, setTuning } from '../lib/index.js';
import { packageVersion } from '../lib/version.js';
import { integer, main, parseOptions } from './arguments.js';
import { processBytes } from './harness.js';
import type { RecipeRun } from './recipe.js';

await main(async () => {
  const values = parseOptions({
    recipe: { type: 'string', default: 'recipes/fashion-mnist.yaml' },
    seed: { type: 'string', default: '1' },
    epochs: { type: 'string', default: '0' },
  });
  const epochs = integer('epochs', values.epochs, 0);
  const config = resolveConfig(await readConfigFile(values.recipe), {
    seed: integer('seed', values.seed, 0),
    device: 'cpu',
    ...(epochs > 0 ? { epochs } : {}),
  });
  setDevice(cpu());
  setTuning(config.tune);
  const { net, record, trainer, fitOptions } = await buildRun(config, { device: cpu() });
  const rates: number[] = [];
  const run: RecipeRun = { library: `residua ${packageVersion()}`, epochs: [], rates, config, peakRssBytes: 0 };
  if (record.normalization) run.normalization = record.normalization;
  const start = performance.now();
  // biome-ignore lint/suspicious/noFocusedTests: this fit trains
  await fit(net, trainer, {
    ...fitOptions,
    handlers: [
      {
        batchEnd: (_run, { learningRate }) => void rates.push(learningRate),
        epochEnd: (_run, { epoch, validation }) => {
          const seconds = (performance.now() - start) / 1000;
          const accuracy = validation?.top1 ?? 0;
          run.epochs.push({ epoch, seconds, accuracy });
          process.stderr.write(`epoch ${epoch}: ${accuracy.toFixed(4)} after ${seconds.toFixed(0)} s\n`);
        },
      },
    ],
  });
  run.peakRssBytes = processBytes('VmHWM');
  process.stdout.write(`${JSON.stringify(run)}\n`);
});
