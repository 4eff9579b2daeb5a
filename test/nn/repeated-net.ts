// A small net of the library's own blocks, which repeat their forward pass where it is hybridized.
import { type Device, nn, seed, type Tensor, uniform } from '../../lib/index.js';

export const residualNet = (): nn.Sequential =>
  new nn.Sequential().add(
    new nn.Conv2D(4, { kernelSize: 3, padding: 1, inChannels: 3 }),
    new nn.BatchNorm({ inChannels: 4 }),
    new nn.Activation('relu'),
    new nn.BasicBlock(8, { inChannels: 4, strides: 2 }),
    new nn.GlobalAvgPool2D(),
    new nn.Dense(5, { inUnits: 8 }),
  );

/** With the same values each time, hybridized unless told otherwise. */
export const made = (device: Device, make: () => nn.Block = residualNet, hybridize = true): nn.Block => {
  seed(5);
  const net = make();
  net.initialize({ device });
  if (hybridize) net.hybridize();
  return net;
};

/** [n, 3, 7, 7], the same values each time. */
export const input = (device: Device, n = 2): Tensor => {
  seed(9);
  return uniform([n, 3, 7, 7], { device });
};
