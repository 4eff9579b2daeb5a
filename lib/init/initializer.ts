// What an initialiser is: values for a shape, from a random stream of the parameter's own.
import { native } from '../native.js';

/** A stream of the one counter-based generator (lib/tensor/random.ts). */
export interface RandomStream {
  readonly seed: number;
  readonly stream: number;
}

/**
 * Makes the first values of a parameter. Subclass it for initialisers of your own: values must depend on nothing but
 * the shape and the stream, so that one seed gives the same weights on every device.
 */
export abstract class Initializer {
  /** Values in row-major order for a parameter of `shape`. `random` is a stream that nothing else uses. */
  abstract values(shape: readonly number[], random: RandomStream): Float32Array;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

/** Values drawn evenly from [-scale, scale). */
export function drawUniform(shape: readonly number[], random: RandomStream, scale: number): Float32Array {
  return native().randomUniform(sizeOf(shape), random.seed, random.stream, -scale, scale);
}

/** Values of the normal distribution with mean 0. */
export function drawNormal(shape: readonly number[], random: RandomStream, sigma: number): Float32Array {
  return native().randomNormal(sizeOf(shape), random.seed, random.stream, 0, sigma);
}
