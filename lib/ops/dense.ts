// The fully connected layer's product, and its gradients.
import { needsGrad, recordOp } from '../autograd/tape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkTensors } from './attributes.js';
import { inPrecision } from './mixed.js';
import { sumFloat32 } from './reduce.js';
import { run, run1 } from './run.js';

/** x wᵀ + b. x [n, in], w [out, in], b [out] -> y [n, out] */
export function dense(x: Tensor, w: Tensor, b?: Tensor | null): Tensor {
  checkTensors('dense', b == null ? { x, w } : { x, w, b });
  return inPrecision('dense', b == null ? [x, w] : [x, w, b], (...inputs) => multiply(inputs));
}

/** inputs: x, w, [b], of the types that the op takes. */
function multiply(inputs: readonly Tensor[]): Tensor {
  const [x, w] = inputs as [Tensor, Tensor, Tensor?];
  const y = run1('dense', {}, inputs);
  const saved = [needsGrad(w) ? x : null, needsGrad(x) ? w : null] as const;
  recordOp('dense', inputs, y, saved, (dy, [savedX, savedW], [needsX, needsW, needsB = false]) => {
    const dx = needsX ? run1('denseBackwardData', {}, [dy, savedW as Tensor]) : null;
    if (!needsW) return [dx, null, needsB ? sumFloat32(dy, [0]) : null];
    const [dw = null, db = null] = run('denseBackwardWeights', { hasBias: needsB }, [savedX as Tensor, dy]);
    return [dx, dw, db];
  });
  return y;
}
