// Convolution and its gradients as plain loops in double precision: slow, and simple enough to trust.
import { sizeOf } from './values.js';

type Pair = readonly [height: number, width: number];
type Shape4 = readonly [number, number, number, number];

export interface ConvGeometry {
  /** [n, in, height, width] */
  x: Shape4;
  /** Output channels. */
  channels: number;
  kernel: Pair;
  strides: Pair;
  padding: Pair;
  dilation: Pair;
  groups: number;
}

/** [out, in / groups, kh, kw] */
export const weightShape = ({ x, channels, kernel, groups }: ConvGeometry): Shape4 => [
  channels,
  x[1] / groups,
  ...kernel,
];

/** [n, out, oh, ow] */
export function convOutputShape({ x, channels, kernel, strides, padding, dilation }: ConvGeometry): Shape4 {
  const size = (axis: 0 | 1) =>
    Math.floor((x[axis + 2]! + 2 * padding[axis] - dilation[axis] * (kernel[axis] - 1) - 1) / strides[axis]) + 1;
  return [x[0], channels, size(0), size(1)];
}

/** Flat index into a tensor of four axes. */
export const at = (shape: Shape4, a: number, b: number, c: number, d: number): number =>
  ((a * shape[1] + b) * shape[2] + c) * shape[3] + d;

/** Calls `visit` with the flat indices into y, x and w of each product that the convolution sums. */
function eachProduct(geometry: ConvGeometry, visit: (y: number, x: number, w: number) => void): void {
  const { x: xShape, strides, padding, dilation, groups } = geometry;
  const yShape = convOutputShape(geometry);
  const wShape = weightShape(geometry);
  const [, inPerGroup, kh, kw] = wShape;
  const outPerGroup = geometry.channels / groups;
  for (let n = 0; n < yShape[0]; n++)
    for (let o = 0; o < yShape[1]; o++)
      for (let oy = 0; oy < yShape[2]; oy++)
        for (let ox = 0; ox < yShape[3]; ox++)
          for (let i = 0; i < inPerGroup; i++)
            for (let ky = 0; ky < kh; ky++)
              for (let kx = 0; kx < kw; kx++) {
                const iy = oy * strides[0] + ky * dilation[0] - padding[0];
                const ix = ox * strides[1] + kx * dilation[1] - padding[1];
                if (iy < 0 || iy >= xShape[2] || ix < 0 || ix >= xShape[3]) continue;
                const channel = Math.floor(o / outPerGroup) * inPerGroup + i;
                visit(at(yShape, n, o, oy, ox), at(xShape, n, channel, iy, ix), at(wShape, o, i, ky, kx));
              }
}

type Values = ArrayLike<number>;

export function conv2dForward(geometry: ConvGeometry, x: Values, w: Values, b: Values): Float64Array {
  const [n, channels, height, width] = convOutputShape(geometry);
  const y = Float64Array.from(
    { length: n * channels * height * width },
    (_, i) => b[Math.floor(i / (height * width)) % channels] as number,
  );
  eachProduct(geometry, (yi, xi, wi) => {
    y[yi]! += x[xi]! * w[wi]!;
  });
  return y;
}

export function conv2dGradients(geometry: ConvGeometry, x: Values, w: Values, dy: Values) {
  const [, channels, height, width] = convOutputShape(geometry);
  const dx = new Float64Array(sizeOf(geometry.x));
  const dw = new Float64Array(sizeOf(weightShape(geometry)));
  const db = new Float64Array(channels);
  eachProduct(geometry, (yi, xi, wi) => {
    dx[xi]! += dy[yi]! * w[wi]!;
    dw[wi]! += dy[yi]! * x[xi]!;
  });
  for (let i = 0; i < dy.length; i++) db[Math.floor(i / (height * width)) % channels]! += dy[i]!;
  return { dx, dw, db };
}
