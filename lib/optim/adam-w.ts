// AdamW, as the trainer uses it.
import { adamWUpdate } from '../ops/adam-w.js';
import { type Optimizer, ParameterStates, type ParameterUpdate } from './optimizer.js';
import { type AdamWOptions, type CheckedAdamWOptions, checkAdamWOptions } from './optimizer-options.js';

export class AdamW implements Optimizer {
  readonly name = 'adamw';
  readonly options: CheckedAdamWOptions;
  readonly states = new ParameterStates(['mean', 'square']);
  updateCounts: ReadonlyMap<string, number> = new Map();

  constructor(options: AdamWOptions) {
    this.options = checkAdamWOptions(options);
  }

  apply(updates: readonly ParameterUpdate[], lr: number, rescale: number): void {
    const { beta1, beta2, epsilon, clip, wd } = this.options;
    const counts = updates.map(({ name }) => (this.updateCounts.get(name) ?? 0) + 1);
    adamWUpdate(
      updates.map(({ weight }) => weight),
      updates.map(({ grad }) => grad),
      updates.map((update) => this.states.of('mean', update)),
      updates.map((update) => this.states.of('square', update)),
      {
        rescale,
        clip,
        beta1,
        beta2,
        epsilon,
        lrs: updates.map(({ parameter }) => lr * parameter.lrMult),
        wds: updates.map(({ parameter }) => wd * parameter.wdMult),
        counts,
      },
    );
    const updated = updates.map(({ name }, i): [string, number] => [name, counts[i] as number]);
    this.updateCounts = new Map([...this.updateCounts, ...updated]);
  }
}
