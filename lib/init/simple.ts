// Initialisers that do not look at the shape: constants, uniform, normal.
import { checkNumber } from '../options.js';
import { drawNormal, drawUniform, Initializer, type RandomStream, sizeOf } from './initializer.js';

/** Every value is `value`. */
export class Constant extends Initializer {
  readonly value: number;
  constructor(value: number) {
    super();
    this.value = checkNumber('init.Constant', 'value', value);
  }
  values(shape: readonly number[]): Float32Array {
    return new Float32Array(sizeOf(shape)).fill(this.value);
  }
}

/** Every value is 0. */
export class Zero extends Constant {
  constructor() {
    super(0);
  }
}

/** Every value is 1. */
export class One extends Constant {
  constructor() {
    super(1);
  }
}

/** Drawn evenly from [-scale, scale); scale 0.07 by default, as in Gluon. */
export class Uniform extends Initializer {
  readonly scale: number;
  constructor(scale = 0.07) {
    super();
    this.scale = checkNumber('init.Uniform', 'scale', scale, { min: 0 });
  }
  values(shape: readonly number[], random: RandomStream): Float32Array {
    return drawUniform(shape, random, this.scale);
  }
}

/** Drawn from the normal distribution with mean 0 and standard deviation `sigma`, 0.01 by default, as in Gluon. */
export class Normal extends Initializer {
  readonly sigma: number;
  constructor(sigma = 0.01) {
    super();
    this.sigma = checkNumber('init.Normal', 'sigma', sigma, { min: 0 });
  }
  values(shape: readonly number[], random: RandomStream): Float32Array {
    return drawNormal(shape, random, this.sigma);
  }
}
