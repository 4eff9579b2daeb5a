// Gives the BatchNorms of a net statistics, scales and shifts as if it had been trained: with fresh ones, folding shows nothing.
import { nn } from '../../lib/index.js';
import { uniformValues } from '../helpers/values.js';

/** Scales are smaller in deeper nets, whose activations would leave float32's range otherwise. */
export function randomizeNorms(net: nn.Block): void {
  const norms = [...net.descendants()].map(([, block]) => block).filter((block) => block instanceof nn.BatchNorm);
  const scale = 0.9 * Math.min(1, (20 / norms.length) ** (1 / 6));
  let seed = 1000;
  for (const { gamma, beta, runningMean, runningVar } of norms) {
    const [channels] = gamma.shape as [number];
    gamma.setData(uniformValues(channels, seed++, 0.4 * scale, scale));
    beta.setData(uniformValues(channels, seed++, 0.2));
    runningMean.setData(uniformValues(channels, seed++, 0.2));
    runningVar.setData(uniformValues(channels, seed++, 0.5, 1)); // 0.5 to 1.5
  }
}
