// Batch normalisation (Ioffe and Szegedy 2015, "Batch Normalization", algorithm 1), with an optional ReLU after it.
import { isTraining, recordOp } from '../autograd/tape.js';
import { checkBoolean, checkNumber, checkOptions } from '../options.js';
import { tidy } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkTensors } from './attributes.js';
import { inPrecision } from './mixed.js';
import { run, run1 } from './run.js';

export interface BatchNormOptions {
  /** running = momentum * running + (1 - momentum) * batch. Default 0.9. */
  momentum?: number;
  /** Added to the variance. Default 1e-5. */
  epsilon?: number;
  /** Normalise by the batch's statistics and update the running ones. Default: inside `autograd.record`. */
  training?: boolean;
  /** max(., 0) of the result, in the same pass. Default false. */
  relu?: boolean;
}

/**
 * y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, for each channel.
 *
 * x [n, channels, ...] of 2 to 5 axes; gamma, beta, runningMean, runningVar float32 [channels] -> y of x's shape.
 *
 * In training the biased variance of the batch normalises, and runningMean and runningVar are updated in place, the latter
 * with the unbiased variance, as cuDNN and PyTorch do. Otherwise the running statistics normalise.
 */
export function batchNorm(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  runningMean: Tensor,
  runningVar: Tensor,
  options: BatchNormOptions = {},
): Tensor {
  checkTensors('batchNorm', { x, gamma, beta, runningMean, runningVar });
  checkOptions('batchNorm', options, ['momentum', 'epsilon', 'training', 'relu']);
  const relu = checkBoolean('batchNorm', 'relu', options.relu ?? false);
  const attributes = { ...checkStatistics('batchNorm', options), relu };
  const { training } = attributes;
  return inPrecision('batchNorm', [x, gamma, beta, runningMean, runningVar], (...inputs) =>
    training ? train(inputs, attributes) : predict(inputs, attributes),
  );
}

/** Which statistics normalise, and how the running ones move: what every op of this family has. */
export function checkStatistics(op: string, options: Omit<BatchNormOptions, 'relu'>) {
  return {
    epsilon: checkNumber(op, 'epsilon', options.epsilon ?? 1e-5, { min: 0 }),
    momentum: checkNumber(op, 'momentum', options.momentum ?? 0.9, { min: 0, max: 1 }),
    training: checkBoolean(op, 'training', options.training ?? isTraining()),
  };
}

interface Attributes extends Record<string, number | boolean> {
  epsilon: number;
  momentum: number;
  training: boolean;
  relu: boolean;
}

/** With the batch's statistics; `mask` tells where the ReLU let through. */
function train(inputs: readonly Tensor[], attributes: Attributes): Tensor {
  const [x, gamma, beta, runningMean, runningVar] = inputs as [Tensor, Tensor, Tensor, Tensor, Tensor];
  const { epsilon, training, relu } = attributes;
  return tidy(() => {
    const [y, mean, variance, mask] = run('batchNorm', attributes, inputs) as [Tensor, Tensor, Tensor, Tensor?];
    runningMean.markUpdated();
    runningVar.markUpdated();
    const saved = mask ? [x, gamma, beta, mean, variance, mask] : [x, gamma, beta, mean, variance];
    recordOp('batchNorm', [x, gamma, beta], y, saved, (dy, [savedX, ...rest]) =>
      run('batchNormBackward', { epsilon, training, relu }, [savedX, dy, ...rest] as Tensor[]),
    );
    return y;
  });
}

/** With the running statistics, which are constants to the gradient. */
function predict(inputs: readonly Tensor[], attributes: Attributes): Tensor {
  const [x, gamma, beta, runningMean, runningVar] = inputs as [Tensor, Tensor, Tensor, Tensor, Tensor];
  const { epsilon, training, relu } = attributes;
  const y = run1('batchNorm', attributes, inputs);
  const saved = [x, gamma, beta, runningMean, runningVar, relu ? y : null] as const;
  recordOp('batchNorm', [x, gamma, beta], y, saved, (dy, [savedX, savedGamma, savedBeta, mean, variance, savedY]) => {
    const dNormalised = savedY ? run1('reluBackward', {}, [dy, savedY]) : dy;
    return run('batchNormBackward', { epsilon, training, relu: false }, [
      savedX,
      dNormalised,
      savedGamma,
      savedBeta,
      mean,
      variance,
    ]);
  });
  return y;
}
