// AdamW: one call updates all parameters of a device.
import { ConfigError } from '../errors.js';
import { fromHost } from '../tensor/create.js';
import { tidy } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkTensorList } from './attributes.js';
import { run } from './run.js';

export interface AdamWHyper {
  /** Multiplies every gradient: 1 / batch size. */
  rescale: number;
  /** Bounds each element of the rescaled gradient to [-clip, clip]; 0: no bound. */
  clip: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Learning rate and weight decay of each weight. */
  lrs: readonly number[];
  wds: readonly number[];
  /** The how many-th update this is of each weight, from 1 on. */
  counts: readonly number[];
}

/**
 * Updates weights in place, as torch.optim.AdamW does (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, algorithm 2):
 * g = clip(rescale * grad);  m = beta1 * m + (1 - beta1) * g;  v = beta2 * v + (1 - beta2) * g^2;
 * w = (1 - lr * wd) * w - lr * m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon).
 *
 * weights[i], grads[i], means[i] (m) and squares[i] (v) have one shape; all are on one device. Internal: users have `Trainer`.
 */
export function adamWUpdate(
  weights: readonly Tensor[],
  grads: readonly Tensor[],
  means: readonly Tensor[],
  squares: readonly Tensor[],
  hyper: AdamWHyper,
): void {
  const { lrs, wds, counts } = hyper;
  const count = weights.length;
  for (const [name, list] of Object.entries({ grads, means, squares, lrs, wds, counts })) {
    if (list.length !== count)
      throw new ConfigError(`adamWUpdate expected ${count} ${name}, one a weight, got ${list.length}.`, {
        argument: name,
      });
  }
  if (count === 0) return;
  for (const [name, list] of Object.entries({ weights, grads, means, squares }))
    checkTensorList('adamWUpdate', name, list);
  const { rescale, clip, beta1, beta2, epsilon } = hyper;
  const ofEach = lrs.flatMap((lr, i) => [
    1 - lr * (wds[i] as number),
    lr / (1 - beta1 ** (counts[i] as number)),
    1 / Math.sqrt(1 - beta2 ** (counts[i] as number)),
  ]);
  const values = Float32Array.from([rescale, clip, beta1, beta2, epsilon, ...ofEach]);
  const tensors = weights.flatMap((w, i) => [w, grads[i], means[i], squares[i]]) as Tensor[];
  tidy(() => {
    const hyperTensor = fromHost(values, [values.length], 'float32', (tensors[0] as Tensor).device);
    run('adamW', { count }, [...tensors, hyperTensor]);
  });
  for (const updated of [...weights, ...means, ...squares]) updated.markUpdated();
}
