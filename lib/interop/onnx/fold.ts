// BatchNorm folded into a convolution's weights on the host, in double precision.

export interface FoldInputs {
  /** [channels, ...] */
  weight: Float32Array;
  /** [channels] each */
  bias: Float32Array | undefined;
  gamma: Float32Array;
  beta: Float32Array;
  mean: Float32Array;
  variance: Float32Array;
  epsilon: number;
}

/**
 * Weight and bias of the convolution that gives what BatchNorm makes of the given one:
 * w' = w * s, b' = (b - mean) * s + beta, s = gamma / sqrt(variance + epsilon) for each output channel.
 */
export function foldedWeights(inputs: FoldInputs): { weight: Float32Array; bias: Float32Array } {
  const { weight, bias, gamma, beta, mean, variance, epsilon } = inputs;
  const channels = gamma.length;
  const perChannel = weight.length / channels;
  const folded = { weight: new Float32Array(weight.length), bias: new Float32Array(channels) };
  for (let channel = 0; channel < channels; channel++) {
    const at = (values: Float32Array): number => values[channel] as number;
    const scale = at(gamma) / Math.sqrt(at(variance) + epsilon);
    folded.bias[channel] = ((bias ? at(bias) : 0) - at(mean)) * scale + at(beta);
    const end = (channel + 1) * perChannel;
    for (let i = channel * perChannel; i < end; i++) folded.weight[i] = (weight[i] as number) * scale;
  }
  return folded;
}
