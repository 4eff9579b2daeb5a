// The end of a residual block in one pass: batch normalisation, addition of the shortcut, ReLU.
import { recordOp } from '../autograd/tape.js';
import { checkOptions } from '../options.js';
import { tidy } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkTensors } from './attributes.js';
import { type BatchNormOptions, checkStatistics } from './batch-norm.js';
import { inPrecision } from './mixed.js';
import { run, run1 } from './run.js';

export type BatchNormAddReluOptions = Omit<BatchNormOptions, 'relu'>;

type Inputs = [x: Tensor, residual: Tensor, gamma: Tensor, beta: Tensor, runningMean: Tensor, runningVar: Tensor];
type Attributes = ReturnType<typeof checkStatistics>;

/** max(batchNorm(x, gamma, beta, runningMean, runningVar, options) + residual, 0); residual is of x's shape. */
export function batchNormAddRelu(
  x: Tensor,
  residual: Tensor,
  gamma: Tensor,
  beta: Tensor,
  runningMean: Tensor,
  runningVar: Tensor,
  options: BatchNormAddReluOptions = {},
): Tensor {
  checkTensors('batchNormAddRelu', { x, residual, gamma, beta, runningMean, runningVar });
  checkOptions('batchNormAddRelu', options, ['momentum', 'epsilon', 'training']);
  const attributes = checkStatistics('batchNormAddRelu', options);
  const inputs: Inputs = [x, residual, gamma, beta, runningMean, runningVar];
  return inPrecision('batchNormAddRelu', inputs, (...converted) =>
    attributes.training ? train(converted, attributes) : predict(converted, attributes),
  );
}

/** With the batch's statistics; `mask` tells where the ReLU let through. */
function train(inputs: Inputs, attributes: Attributes): Tensor {
  const [x, residual, gamma, beta, runningMean, runningVar] = inputs;
  const { epsilon, training } = attributes;
  return tidy(() => {
    const [y, mean, variance, mask] = run('batchNormAddRelu', attributes, inputs) as [Tensor, Tensor, Tensor, Tensor];
    runningMean.markUpdated();
    runningVar.markUpdated();
    const saved = [x, gamma, beta, mean, variance, mask] as const;
    recordOp('batchNormAddRelu', [x, residual, gamma, beta], y, saved, (dy, [savedX, ...rest]) =>
      run('batchNormAddReluBackward', { epsilon, training }, [savedX, dy, ...rest]),
    );
    return y;
  });
}

/** With the running statistics, which are constants to the gradient. */
function predict(inputs: Inputs, attributes: Attributes): Tensor {
  const [x, residual, gamma, beta, runningMean, runningVar] = inputs;
  const { epsilon, training } = attributes;
  const y = run1('batchNormAddRelu', attributes, inputs);
  const saved = [x, gamma, beta, runningMean, runningVar, y] as const;
  recordOp('batchNormAddRelu', [x, residual, gamma, beta], y, saved, (dy, [savedX, ...rest]) => {
    const [savedGamma, savedBeta, mean, variance, savedY] = rest;
    const dSum = run1('reluBackward', {}, [dy, savedY]);
    const norm = [savedX, dSum, savedGamma, savedBeta, mean, variance];
    const [dx, dgamma, dbeta] = run('batchNormBackward', { epsilon, training, relu: false }, norm) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    return [dx, dSum, dgamma, dbeta];
  });
  return y;
}
