// Batch normalisation in training, and its gradients, as plain loops in double precision.
type Values = ArrayLike<number>;

export interface NormValues {
  /** [n, channels, height, width] */
  x: Values;
  dy: Values;
  /** [channels] each */
  gamma: Values;
  beta: Values;
  runningMean: Values;
  runningVar: Values;
}

/** Ioffe and Szegedy 2015, algorithm 1, with the gradients of section 3; an optional ReLU on the result. */
export function batchNormTraining(
  shape: readonly [number, number, number, number],
  values: NormValues,
  options: { relu: boolean; momentum: number; epsilon: number },
) {
  const [n, channels, height, width] = shape;
  const area = height * width;
  const count = n * area;
  const { x, gamma, beta } = values;
  const result = {
    y: new Float64Array(n * channels * area),
    dx: new Float64Array(n * channels * area),
    dgamma: new Float64Array(channels),
    dbeta: new Float64Array(channels),
    runningMean: new Float64Array(channels),
    runningVar: new Float64Array(channels),
  };
  for (let c = 0; c < channels; c++) {
    const indices = Array.from({ length: count }, (_, i) => (Math.floor(i / area) * channels + c) * area + (i % area));
    const average = (value: (i: number) => number) => indices.reduce((sum, i) => sum + value(i), 0) / count;
    const mean = average((i) => x[i]!);
    const variance = average((i) => (x[i]! - mean) ** 2);
    const scale = 1 / Math.sqrt(variance + options.epsilon);
    const normalised = (i: number) => (x[i]! - mean) * scale;
    const linear = (i: number) => gamma[c]! * normalised(i) + beta[c]!;
    const dy = (i: number) => (options.relu && linear(i) <= 0 ? 0 : values.dy[i]!);
    const meanDy = average(dy);
    const meanDyX = average((i) => dy(i) * normalised(i));
    for (const i of indices) {
      result.y[i] = options.relu ? Math.max(linear(i), 0) : linear(i);
      result.dx[i] = gamma[c]! * scale * (dy(i) - meanDy - normalised(i) * meanDyX);
    }
    result.dbeta[c] = meanDy * count;
    result.dgamma[c] = meanDyX * count;
    const unbiased = (variance * count) / (count - 1);
    result.runningMean[c] = options.momentum * values.runningMean[c]! + (1 - options.momentum) * mean;
    result.runningVar[c] = options.momentum * values.runningVar[c]! + (1 - options.momentum) * unbiased;
  }
  return result;
}
