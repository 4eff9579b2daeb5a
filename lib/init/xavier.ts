// Initialisers that keep the variance of activations or gradients from layer to layer: Xavier and MSRAPrelu.
import { ShapeError } from '../errors.js';
import { checkChoice, checkNumber, checkOptions } from '../options.js';
import { drawNormal, drawUniform, Initializer, type RandomStream } from './initializer.js';

export interface XavierOptions {
  /** The distribution: 'uniform' (default) in [-scale, scale) or 'gaussian' with standard deviation scale. */
  rndType?: 'uniform' | 'gaussian';
  /** What the scale is measured by: the mean of inputs and outputs ('avg', default), 'in' or 'out'. */
  factorType?: 'avg' | 'in' | 'out';
  /** Default 3. */
  magnitude?: number;
}

/**
 * scale = sqrt(magnitude / factor); factor is the number of inputs of a weight's output (fan in), of outputs of its
 * input (fan out), or their mean. For weights [out, in, ...]. Glorot and Bengio, "Understanding the difficulty of
 * training deep feedforward neural networks", 2010; defaults as in Gluon.
 */
export class Xavier extends Initializer {
  readonly rndType: 'uniform' | 'gaussian';
  readonly factorType: 'avg' | 'in' | 'out';
  readonly magnitude: number;
  constructor(options: XavierOptions = {}) {
    super();
    checkOptions('init.Xavier', options, ['rndType', 'factorType', 'magnitude']);
    const { rndType = 'uniform', factorType = 'avg', magnitude = 3 } = options;
    this.rndType = checkChoice('init.Xavier', 'rndType', rndType, ['uniform', 'gaussian']);
    this.factorType = checkChoice('init.Xavier', 'factorType', factorType, ['avg', 'in', 'out']);
    this.magnitude = checkNumber('init.Xavier', 'magnitude', magnitude, { min: 0 });
  }
  values(shape: readonly number[], random: RandomStream): Float32Array {
    const scale = this.scaleFor(shape);
    return this.rndType === 'uniform' ? drawUniform(shape, random, scale) : drawNormal(shape, random, scale);
  }
  /** The scale for a weight of this shape. Throws ShapeError for fewer than two axes. */
  scaleFor(shape: readonly number[]): number {
    const [outputs, inputs, ...kernel] = shape;
    if (outputs === undefined || inputs === undefined) {
      throw new ShapeError(
        `${this.constructor.name} expected a weight of at least two axes [out, in, ...], got shape [${shape.join(', ')}].`,
        { shape },
      );
    }
    const area = kernel.reduce((n, d) => n * d, 1);
    const factors = { in: inputs * area, out: outputs * area, avg: ((inputs + outputs) * area) / 2 };
    return Math.sqrt(this.magnitude / factors[this.factorType]);
  }
}

export interface MSRAPreluOptions {
  /** As for Xavier; default 'avg'. He et al. use 'in' or 'out'. */
  factorType?: 'avg' | 'in' | 'out';
  /** Slope of the rectifier's negative side; default 0.25 as in Gluon, 0 for ReLU. */
  slope?: number;
}

/** Normal with variance 2 / ((1 + slope^2) factor). He et al., "Delving deep into rectifiers", 2015, section 2.2. */
export class MSRAPrelu extends Xavier {
  readonly slope: number;
  constructor(options: MSRAPreluOptions = {}) {
    checkOptions('init.MSRAPrelu', options, ['factorType', 'slope']);
    const { factorType = 'avg', slope = 0.25 } = options;
    checkNumber('init.MSRAPrelu', 'slope', slope);
    super({ rndType: 'gaussian', factorType, magnitude: 2 / (1 + slope ** 2) });
    this.slope = slope;
  }
}
