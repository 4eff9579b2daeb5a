// Pooling and its gradients as plain loops in double precision.
import { at } from './plain-conv2d.js';
import { sizeOf } from './values.js';

type Pair = readonly [height: number, width: number];
type Shape4 = readonly [number, number, number, number];

export interface PoolGeometry {
  /** [n, channels, height, width] */
  x: Shape4;
  poolSize: Pair;
  strides: Pair;
  padding: Pair;
}

/** [n, channels, oh, ow] */
export function poolOutputShape({ x, poolSize, strides, padding }: PoolGeometry): Shape4 {
  const size = (axis: 0 | 1) => Math.floor((x[axis + 2]! + 2 * padding[axis] - poolSize[axis]) / strides[axis]) + 1;
  return [x[0], x[1], size(0), size(1)];
}

/** Calls `visit` with the flat index of each output and those of the pixels in its window, padding left out. */
function eachWindow(geometry: PoolGeometry, visit: (y: number, pixels: number[]) => void): void {
  const { x: xShape, poolSize, strides, padding } = geometry;
  const yShape = poolOutputShape(geometry);
  for (let n = 0; n < yShape[0]; n++)
    for (let c = 0; c < yShape[1]; c++)
      for (let oy = 0; oy < yShape[2]; oy++)
        for (let ox = 0; ox < yShape[3]; ox++) {
          const pixels: number[] = [];
          for (let ky = 0; ky < poolSize[0]; ky++)
            for (let kx = 0; kx < poolSize[1]; kx++) {
              const iy = oy * strides[0] + ky - padding[0];
              const ix = ox * strides[1] + kx - padding[1];
              if (iy >= 0 && iy < xShape[2] && ix >= 0 && ix < xShape[3]) pixels.push(at(xShape, n, c, iy, ix));
            }
          visit(at(yShape, n, c, oy, ox), pixels);
        }
}

type Values = ArrayLike<number>;

/** The gradient goes to the first of the largest. */
export function maxPool(geometry: PoolGeometry, x: Values, dy: Values) {
  const y = new Float64Array(sizeOf(poolOutputShape(geometry)));
  const dx = new Float64Array(sizeOf(geometry.x));
  eachWindow(geometry, (yi, pixels) => {
    const largest = pixels.reduce((best, pixel) => (x[pixel]! > x[best]! ? pixel : best));
    y[yi] = x[largest]!;
    dx[largest]! += dy[yi]!;
  });
  return { y, dx };
}

export function avgPool(geometry: PoolGeometry, x: Values, dy: Values, countIncludePad: boolean) {
  const y = new Float64Array(sizeOf(poolOutputShape(geometry)));
  const dx = new Float64Array(sizeOf(geometry.x));
  eachWindow(geometry, (yi, pixels) => {
    const count = countIncludePad ? geometry.poolSize[0] * geometry.poolSize[1] : pixels.length;
    for (const pixel of pixels) {
      y[yi]! += x[pixel]! / count;
      dx[pixel]! += dy[yi]! / count;
    }
  });
  return { y, dx };
}
