// Stochastic gradient descent, as the trainer uses it.
import { sgdUpdate } from '../ops/sgd.js';
import { type Optimizer, ParameterStates, type ParameterUpdate } from './optimizer.js';
import { type CheckedSgdOptions, checkSgdOptions, type SgdOptions } from './optimizer-options.js';

export class Sgd implements Optimizer {
  readonly name = 'sgd';
  readonly options: CheckedSgdOptions;
  readonly states: ParameterStates;
  readonly updateCounts = null;

  constructor(options: SgdOptions) {
    this.options = checkSgdOptions(options);
    this.states = new ParameterStates(this.options.momentum > 0 ? ['momentum'] : []);
  }

  apply(updates: readonly ParameterUpdate[], lr: number, rescale: number): void {
    const { momentum, clip, wd, nesterov } = this.options;
    const hyper = {
      rescale,
      momentum,
      clip,
      lrs: updates.map(({ parameter }) => lr * parameter.lrMult),
      wds: updates.map(({ parameter }) => wd * parameter.wdMult),
    };
    const momenta = momentum === 0 ? null : updates.map((update) => this.states.of('momentum', update));
    const [weights, grads] = [updates.map(({ weight }) => weight), updates.map(({ grad }) => grad)];
    sgdUpdate(weights, grads, momenta, hyper, { nesterov });
  }
}
