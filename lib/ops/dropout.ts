// Dropout (Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting").
import { isTraining, recordOp } from '../autograd/tape.js';
import { checkBoolean, checkNumber } from '../options.js';
import { fromHost } from '../tensor/create.js';
import { randomStream } from '../tensor/random.js';
import { tidy, track } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkTensors } from './attributes.js';
import { run, run1 } from './run.js';

/**
 * Sets each element to 0 with probability `rate` and divides the others by 1 - rate, in training (by default inside
 * `autograd.record`). Otherwise, and at rate 0, the same values (shared, not copied). Which elements, the seed decides.
 */
export function dropout(x: Tensor, rate: number, training = isTraining()): Tensor {
  checkTensors('dropout', { x });
  checkNumber('dropout', 'rate', rate, { min: 0, max: 1 });
  checkBoolean('dropout', 'training', training);
  if (!training || rate === 0) return identity(x);
  return tidy(() => {
    const [y, mask] = run('dropout', { rate }, [x, stateTensor(x)]) as [Tensor, Tensor];
    recordOp('dropout', [x], y, [mask], (dy, [savedMask]) => [run1('dropoutBackward', { rate }, [dy, savedMask])]);
    return y;
  });
}

/** The same values as another tensor, with history. */
function identity(x: Tensor): Tensor {
  const y = x.alias();
  track(y);
  recordOp('identity', [x], y, [], (dy) => [dy]);
  return y;
}

/** The generator's state as the op reads it: int32 [seed low, seed high, stream low, stream high], 32 bits each. */
function stateTensor(x: Tensor): Tensor {
  const { seed, stream } = randomStream();
  const words = Int32Array.of(seed, seed / 2 ** 32, stream, stream / 2 ** 32);
  return fromHost(words, [4], 'int32', x.device);
}
