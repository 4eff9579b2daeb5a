// Convolutions that the algorithms of the CPU differ on: tiny, strided, dilated, padded, grouped, of odd sizes and channels.
import type { ConvGeometry } from '../helpers/plain-conv2d.js';

interface Options extends Omit<Partial<ConvGeometry>, 'kernel' | 'strides' | 'padding' | 'dilation'> {
  x: ConvGeometry['x'];
  channels: number;
  kernel: number;
  strides?: number;
  padding?: number;
  dilation?: number;
}
const geometryOf = ({ x, channels, kernel, strides = 1, padding = 0, dilation = 1, groups = 1 }: Options) => ({
  x,
  channels,
  kernel: [kernel, kernel] as const,
  strides: [strides, strides] as const,
  padding: [padding, padding] as const,
  dilation: [dilation, dilation] as const,
  groups,
});

/** By a name that tests of algorithms pick theirs by. */
export const geometries: Record<string, ConvGeometry> = {
  '3x3 on one pixel': geometryOf({ x: [5, 32, 1, 1], channels: 48, kernel: 3, padding: 1 }),
  '1x1 on one pixel': geometryOf({ x: [4, 32, 1, 1], channels: 16, kernel: 1 }),
  '3x3 on 2x2': geometryOf({ x: [3, 32, 2, 2], channels: 16, kernel: 3, padding: 1 }),
  '3x3 on 2x2, odd channels': geometryOf({ x: [3, 20, 2, 2], channels: 37, kernel: 3, padding: 1 }),
  '3x3 on 2x2, stride 2': geometryOf({ x: [4, 16, 2, 2], channels: 32, kernel: 3, strides: 2, padding: 1 }),
  '3x3 on 3x3': geometryOf({ x: [2, 16, 3, 3], channels: 32, kernel: 3, padding: 1 }),
  '3x3 on 3x3, batch 1': geometryOf({ x: [1, 16, 3, 3], channels: 16, kernel: 3, padding: 1 }),
  '3x3 on 3x3, stride 2': geometryOf({ x: [2, 32, 3, 3], channels: 16, kernel: 3, strides: 2, padding: 1 }),
  '3x3 on 3x3, 3 channels': geometryOf({ x: [2, 3, 3, 3], channels: 16, kernel: 3, padding: 1 }),
  '3x3 on 7x7, stride 2': geometryOf({ x: [2, 16, 7, 7], channels: 16, kernel: 3, strides: 2, padding: 1 }),
  '3x3 on 5x7, odd channels': geometryOf({ x: [3, 20, 5, 7], channels: 37, kernel: 3 }),
  '3x3 on 12x12': geometryOf({ x: [2, 16, 12, 12], channels: 16, kernel: 3, padding: 1 }),
  '5x5 on one pixel, dead taps between others': geometryOf({
    x: [3, 16, 1, 1],
    channels: 32,
    kernel: 5,
    strides: 2,
    padding: 3,
  }),
  '3x3 on 3x2, dilated': geometryOf({
    x: [2, 16, 3, 2],
    channels: 16,
    kernel: 3,
    padding: 2,
    dilation: 2,
  }),
  '5x5 on 2x3, one channel': geometryOf({ x: [2, 1, 2, 3], channels: 1, kernel: 5, padding: 2 }),
  '1x1 on 4x4, stride 2': geometryOf({ x: [2, 16, 4, 4], channels: 32, kernel: 1, strides: 2 }),
  '1x1 on 4x4, odd channels': geometryOf({ x: [5, 37, 4, 4], channels: 20, kernel: 1 }),
  '1x1 on 30x31': geometryOf({ x: [2, 16, 30, 31], channels: 16, kernel: 1 }),
  '1x1 on 5x7, stride 2': geometryOf({ x: [3, 20, 5, 7], channels: 48, kernel: 1, strides: 2 }),
  '1x1 on 9x11, stride 2, odd channels': geometryOf({ x: [5, 40, 9, 11], channels: 72, kernel: 1, strides: 2 }),
  '1x1 on 3x3, stride 2, padded': geometryOf({ x: [3, 24, 3, 3], channels: 112, kernel: 1, strides: 2, padding: 1 }),
  '1x1 on 3x2, stride 2, 512 channels to 1024': geometryOf({
    x: [2, 512, 3, 2],
    channels: 1024,
    kernel: 1,
    strides: 2,
  }),
  '1x1 on 7x7, odd channels': geometryOf({ x: [7, 40, 7, 7], channels: 90, kernel: 1 }),
  '3x3 on 15x14, stride 3, batch 1': geometryOf({
    x: [1, 16, 15, 14],
    channels: 64,
    kernel: 3,
    strides: 3,
    padding: 1,
  }),
  '1x1 on 3x2, batch 1, 1056 channels': geometryOf({ x: [1, 16, 3, 2], channels: 1056, kernel: 1 }),
  '3x3 on 9x29, stride 2, odd channels': geometryOf({
    x: [3, 18, 9, 29],
    channels: 33,
    kernel: 3,
    strides: 2,
    padding: 1,
  }),
  '3x3 on 33x15': geometryOf({ x: [1, 16, 33, 15], channels: 16, kernel: 3, padding: 1 }),
  '7x7 on 25x37, stride 2, 3 channels': geometryOf({
    x: [2, 3, 25, 37],
    channels: 24,
    kernel: 7,
    strides: 2,
    padding: 3,
  }),
  '7x7 on 16x15, stride 2, batch 1, 3 channels to 80': geometryOf({
    x: [1, 3, 16, 15],
    channels: 80,
    kernel: 7,
    strides: 2,
    padding: 3,
  }),
  '3x3 on 6x7, 1 channel to 16': geometryOf({ x: [5, 1, 6, 7], channels: 16, kernel: 3, padding: 1 }),
  '1x1 on 5x4, stride 2, 2 channels to 32': geometryOf({ x: [3, 2, 5, 4], channels: 32, kernel: 1, strides: 2 }),
  '3x3 on 20x11, stride 2, 32 channels to 96': geometryOf({
    x: [3, 32, 20, 11],
    channels: 96,
    kernel: 3,
    strides: 2,
    padding: 1,
  }),
  '3x3 on 9x8, stride 2, dilated, batch 1': geometryOf({
    x: [1, 32, 9, 8],
    channels: 16,
    kernel: 3,
    strides: 2,
    padding: 2,
    dilation: 2,
  }),
  '3x3 on 40x37, stride 3, batch 1, 320 channels': geometryOf({
    x: [1, 16, 40, 37],
    channels: 320,
    kernel: 3,
    strides: 3,
    padding: 1,
  }),
  '3x3 on 2x2, 2 groups': geometryOf({ x: [2, 32, 2, 2], channels: 32, kernel: 3, padding: 1, groups: 2 }),
  '3x3 on 7x7, 32 groups of 4': geometryOf({ x: [2, 128, 7, 7], channels: 128, kernel: 3, padding: 1, groups: 32 }),
  '3x3 on 9x7, stride 2, batch 1, 4 groups of 4': geometryOf({
    x: [1, 16, 9, 7],
    channels: 16,
    kernel: 3,
    strides: 2,
    padding: 1,
    groups: 4,
  }),
  '3x3 on 6x5, dilated, 3 groups of 5': geometryOf({
    x: [2, 15, 6, 5],
    channels: 15,
    kernel: 3,
    padding: 2,
    dilation: 2,
    groups: 3,
  }),
  '3x3 on 3x6, padded by more than its extent, 2 groups of 8': geometryOf({
    x: [2, 16, 3, 6],
    channels: 16,
    kernel: 3,
    padding: 3,
    groups: 2,
  }),
  '3x3 on 5x5, 2 groups of 3 to 5': geometryOf({ x: [3, 6, 5, 5], channels: 10, kernel: 3, groups: 2 }),
  '3x3 on one pixel, 2 groups of 3': geometryOf({ x: [3, 6, 1, 1], channels: 6, kernel: 3, padding: 1, groups: 2 }),
  '3x3 on 6x6, stride 2, 32 groups of 5': geometryOf({
    x: [2, 160, 6, 6],
    channels: 160,
    kernel: 3,
    strides: 2,
    padding: 1,
    groups: 32,
  }),
  '1x1 on 4x4, 8 groups of 8': geometryOf({ x: [2, 64, 4, 4], channels: 64, kernel: 1, groups: 8 }),
  '3x3 on 5x4, 6 groups of 1 to 2': geometryOf({ x: [2, 6, 5, 4], channels: 12, kernel: 3, padding: 1, groups: 6 }),
  '3x3 on 5x4, 31 groups of 3': geometryOf({ x: [2, 93, 5, 4], channels: 93, kernel: 3, padding: 1, groups: 31 }),
  '3x3 on 5x4, 16 groups of 1': geometryOf({ x: [2, 16, 5, 4], channels: 16, kernel: 3, padding: 1, groups: 16 }),
};
