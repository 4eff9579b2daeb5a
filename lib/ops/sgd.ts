// Stochastic gradient descent: one call updates all parameters of a device; and the check that comes before it in float16.
import { ConfigError } from '../errors.js';
import { fromHost } from '../tensor/create.js';
import { tidy } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkTensorList } from './attributes.js';
import { run, run1 } from './run.js';

export interface SgdHyper {
  /** Multiplies every gradient: 1 / batch size. */
  rescale: number;
  momentum: number;
  /** Bounds each element of the rescaled gradient to [-clip, clip]; 0: no bound. */
  clip: number;
  /** Learning rate and weight decay of each weight. */
  lrs: readonly number[];
  wds: readonly number[];
}

/**
 * Updates weights in place, as Gluon's SGD does:
 * g = clip(rescale * grad) + wd * w;  m = momentum * m - lr * g;  w = w + m, or with Nesterov's momentum w + momentum * m - lr * g.
 *
 * weights[i], grads[i] and momenta[i] have one shape; all are on one device. `momenta` null: no momentum. Internal: users have `Trainer`.
 */
export function sgdUpdate(
  weights: readonly Tensor[],
  grads: readonly Tensor[],
  momenta: readonly Tensor[] | null,
  hyper: SgdHyper,
  { nesterov = false }: { nesterov?: boolean } = {},
): void {
  const count = weights.length;
  for (const [name, list] of Object.entries({ grads, momenta: momenta ?? grads, lrs: hyper.lrs, wds: hyper.wds })) {
    if (list.length !== count)
      throw new ConfigError(`sgdUpdate expected ${count} ${name}, one a weight, got ${list.length}.`, {
        argument: name,
      });
  }
  if (count === 0) return;
  checkTensorList('sgdUpdate', 'weights', weights);
  checkTensorList('sgdUpdate', 'grads', grads);
  checkTensorList('sgdUpdate', 'momenta', momenta ?? []);
  const tensors = weights.flatMap((w, i) => (momenta ? [w, grads[i], momenta[i]] : [w, grads[i]])) as Tensor[];
  const values = [
    hyper.rescale,
    hyper.momentum,
    hyper.clip,
    ...hyper.lrs.flatMap((lr, i) => [lr, hyper.wds[i] as number]),
  ];
  tidy(() => {
    const hyperTensor = fromHost(Float32Array.from(values), [values.length], 'float32', (tensors[0] as Tensor).device);
    run('sgd', { count, hasMomentum: momenta !== null, nesterov }, [...tensors, hyperTensor]);
  });
  for (const updated of [...weights, ...(momenta ?? [])]) updated.markUpdated();
}

/** uint8 scalar: 1 where no element of the floating-point tensors is NaN or infinite, else 0. All are on one device. Internal. */
export function allFinite(tensors: readonly Tensor[]): Tensor {
  checkTensorList('allFinite', 'tensors', tensors);
  return run1('allFinite', {}, tensors);
}
