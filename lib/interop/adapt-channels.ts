// The first convolution's weights for another number of input channels.

export type ChannelOption = 'sum' | 'repeat';

/**
 * values [out, from, h, w] -> [out, to, h, w]: repeated over the channels and scaled by from / to, so that an input whose
 * channels are all alike gives nearly the same result, and exactly the same where `to` is a multiple of `from` ('repeat').
 * One channel gets the sum of all ('sum' and 'repeat').
 */
export function adaptChannels(values: Float32Array, shape: readonly number[], target: readonly number[]): Float32Array {
  const [out, from, height, width] = shape as [number, number, number, number];
  const to = target[1] as number;
  const area = height * width;
  const adapted = new Float32Array(out * to * area);
  for (let o = 0; o < out; o += 1) {
    for (let c = 0; c < (to === 1 ? from : to); c += 1) {
      const source = (o * from + (c % from)) * area;
      const result = (o * to + (c % to)) * area;
      const scale = to === 1 ? 1 : from / to;
      for (let i = 0; i < area; i += 1)
        adapted[result + i] = (adapted[result + i] as number) + (values[source + i] as number) * scale;
    }
  }
  return adapted;
}
