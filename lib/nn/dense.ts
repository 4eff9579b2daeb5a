// The fully connected layer.
import { ShapeError } from '../errors.js';
import { Zero } from '../init/index.js';
import { dense } from '../ops/index.js';
import { checkBoolean, checkInteger, checkOptions } from '../options.js';
import type { Tensor } from '../tensor/tensor.js';
import { type ActivationName, activate, checkActivation } from './activation.js';
import { Block } from './block.js';
import { Parameter } from './parameter.js';

export interface DenseOptions {
  /** Applied to the output. Default: none. */
  activation?: ActivationName;
  /** Default true. */
  useBias?: boolean;
  /** Whether all axes but the first are joined; else the layer works on the last axis. Default true. */
  flatten?: boolean;
  /** 0 (default): inferred at the first forward. */
  inUnits?: number;
}

/** y = x w' + b. x: [n, ...] with in values a sample -> [n, units]; with flatten false [..., in] -> [..., units]. */
export class Dense extends Block {
  readonly units: number;
  readonly activation: ActivationName | undefined;
  readonly flatten: boolean;
  /** [units, in] */
  readonly weight: Parameter;
  /** [units]; null without bias */
  readonly bias: Parameter | null;

  constructor(units: number, options: DenseOptions = {}) {
    super();
    checkOptions('Dense', options, ['activation', 'useBias', 'flatten', 'inUnits']);
    this.units = checkInteger('Dense', 'units', units, 1);
    this.activation = checkActivation('Dense', options.activation);
    this.flatten = checkBoolean('Dense', 'flatten', options.flatten ?? true);
    const inUnits = checkInteger('Dense', 'inUnits', options.inUnits ?? 0, 0);
    this.weight = new Parameter(`${this.name}.weight`, { shape: [units, inUnits] });
    const useBias = checkBoolean('Dense', 'useBias', options.useBias ?? true);
    this.bias = useBias ? new Parameter(`${this.name}.bias`, { shape: [units], init: new Zero() }) : null;
  }

  protected override describe(): string {
    return `${this.units}, inUnits ${this.weight.shape[1] || 'inferred'}`;
  }

  /** A row of the weight for each value of the output [..., units]. */
  override multiplyAdds(outputShape: readonly number[]): number {
    return outputShape.reduce((product, d) => product * d, this.weight.shape[1] as number);
  }

  override forward(x: Tensor): Tensor {
    const minNdim = this.flatten ? 2 : 1;
    if (x.ndim < minNdim)
      throw new ShapeError(`Dense expected an input of at least ${minNdim} axes, got shape [${x.shape.join(', ')}].`, {
        found: x.shape,
      });
    const [rows, inUnits] = this.#matrixShape(x.shape);
    this.weight.inferShape([this.units, inUnits]);
    const matrix = x.ndim === 2 ? x : x.reshape([rows, inUnits]);
    const y = activate(dense(matrix, this.weight.data(), this.bias?.data()), this.activation); // [rows, units]
    return this.flatten || x.ndim === 2 ? y : y.reshape([...x.shape.slice(0, -1), this.units]);
  }

  /** [samples, values a sample] */
  #matrixShape(shape: readonly number[]): [number, number] {
    const product = (sizes: readonly number[]) => sizes.reduce((n, d) => n * d, 1);
    return this.flatten
      ? [shape[0] as number, product(shape.slice(1))]
      : [product(shape.slice(0, -1)), shape.at(-1) as number];
  }
}
