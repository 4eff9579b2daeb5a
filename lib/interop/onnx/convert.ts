// Turns a recorded net into an ONNX graph.
import { ConfigError } from '../../errors.js';
import { eliminateDeadCode } from '../../graph/passes/dead-code.js';
import { foldBatchNorm } from '../../graph/passes/fold-batch-norm.js';
import type { Node, Program } from '../../graph/program.js';
import type { DType } from '../../native.js';
import { type Size, TimesBatch } from './batch-sizes.js';
import { foldedWeights } from './fold.js';
import { OnnxGraph, type OnnxValues, type ValueInfo } from './graph.js';
import { converters, inputName, type OpContext } from './ops.js';
import type { RecordedNet } from './recorded-net.js';
import type { OnnxDType } from './schema.js';

export const outputName = 'output';

export interface ConvertedNet {
  graph: OnnxGraph;
  input: ValueInfo;
  output: ValueInfo;
}

/** The graph of a net. `sizes`: of each value of its program. Throws ConfigError for an op that ONNX does not have. */
export function convertNet(net: RecordedNet, sizes: readonly (readonly Size[])[], fold: boolean): ConvertedNet {
  const program = eliminateDeadCode({ ...net.program, outputs: [net.output] });
  return new Conversion(net, fold ? foldBatchNorm(program) : program, sizes).run();
}

class Conversion {
  readonly #net: RecordedNet;
  readonly #program: Program;
  readonly #sizes: readonly (readonly Size[])[];
  readonly #graph = new OnnxGraph();
  readonly #names = new Map<number, string>(); // value -> its name in the graph
  readonly #folded = new Map<number, { name: string; values: Float32Array }>(); // what folding makes, by value

  constructor(net: RecordedNet, program: Program, sizes: readonly (readonly Size[])[]) {
    this.#net = net;
    this.#program = program;
    this.#sizes = sizes;
  }

  run(): ConvertedNet {
    const { input, output } = this.#net;
    this.#graph.unusedName(inputName);
    this.#graph.unusedName(outputName);
    this.#names.set(input, inputName);
    for (const node of this.#program.nodes) this.#convert(node);
    this.#graph.rename(this.#nameOf(output), outputName);
    return {
      graph: this.#graph,
      input: this.#info(inputName, input),
      output: this.#info(outputName, output),
    };
  }

  #convert(node: Node): void {
    if (node.op === 'foldBatchNorm') {
      this.#fold(node);
      return;
    }
    const converter = converters[node.op] ?? this.#refuse(node, 'there is no operator for it');
    const half = [...node.inputs, ...node.outputs].find((value) => !isExported(this.#describe(value).dtype));
    if (half !== undefined)
      this.#refuse(node, `the export is in float32, and it works on ${this.#describe(half).dtype}`);
    this.#names.set(node.outputs[0] as number, converter(this.#contextOf(node)));
  }

  #contextOf(node: Node): OpContext {
    const where = this.#layerOf(node);
    return {
      attributes: node.attributes,
      inputs: node.inputs.map((value) => this.#nameOf(value)),
      inputTypes: node.inputs.map((value) => this.#describe(value).dtype),
      inputSizes: node.inputs.map((value) => this.#sizes[value] ?? this.#describe(value).shape),
      outputSizes: this.#sizes[node.outputs[0] as number] as readonly Size[],
      add: (opType, inputs, attributes = {}) => this.#graph.addNode(opType, inputs, attributes, where),
      int64: (values) => this.#graph.int64(values),
      float: (value) =>
        this.#graph.addInitializer('scale', { dtype: 'float32', shape: [], values: Float32Array.of(value) }),
      refuse: (reason) => this.#refuse(node, reason),
    };
  }

  /** Computes the weights of a convolution that does the BatchNorm after it. */
  #fold({ inputs, outputs, attributes }: Node): void {
    const constants = inputs.map((value) => this.#net.constants.get(value));
    if (constants.some((values) => !(values instanceof Float32Array)))
      throw new ConfigError(
        "exportOnnx() can fold a BatchNorm only into weights that are parameters, and this net computes some. { batchNorm: 'keep' } exports it.",
        { argument: 'batchNorm' },
      );
    const [weight, ...rest] = constants as Float32Array[];
    const bias = rest.length === 5 ? rest.shift() : undefined;
    const [gamma, beta, mean, variance] = rest as [Float32Array, Float32Array, Float32Array, Float32Array];
    const epsilon = attributes.epsilon as number;
    const folded = foldedWeights({ weight: weight as Float32Array, bias, gamma, beta, mean, variance, epsilon });
    const name = this.#leafName(inputs[0] as number);
    this.#folded.set(outputs[0] as number, { name, values: folded.weight });
    this.#folded.set(outputs[1] as number, { name: name.replace(/weight$|$/, 'bias'), values: folded.bias });
  }

  /** The name of a value in the graph. Weights and constants become part of it when they are first used. */
  #nameOf(value: number): string {
    const known = this.#names.get(value);
    if (known !== undefined) return known;
    const { shape, dtype } = this.#describe(value);
    const { name, values } = this.#folded.get(value) ?? {
      name: this.#leafName(value),
      values: this.#net.constants.get(value) as OnnxValues,
    };
    const added = this.#graph.addInitializer(name, { dtype: dtype as OnnxDType, shape, values });
    this.#names.set(value, added);
    return added;
  }

  #leafName(leaf: number): string {
    return this.#net.parameters.get(leaf) ?? `constant${leaf}`;
  }

  #describe(value: number): Program['values'][number] {
    return this.#program.values[value] as Program['values'][number];
  }

  /** The layer of the weights that the op uses, else the one that runs it. */
  #layerOf({ inputs, outputs }: Node): string {
    const weight = inputs.map((value) => this.#folded.get(value)?.name ?? this.#net.parameters.get(value));
    const name = weight.find((candidate) => candidate !== undefined);
    return name?.slice(0, Math.max(0, name.lastIndexOf('.'))) ?? this.#net.layers.get(outputs[0] as number) ?? '';
  }

  #refuse({ op, outputs }: Node, reason: string): never {
    const layer = outputs.map((value) => this.#net.layers.get(value)).find(Boolean);
    throw new ConfigError(
      `exportOnnx(): op '${op}' of ${layer ? `layer ${layer}` : 'the net itself'} cannot be expressed in ONNX: ${reason}.`,
      { op, layer: layer ?? '' },
    );
  }

  #info(name: string, value: number): ValueInfo {
    const shape = (this.#sizes[value] as readonly Size[]).map((size) => {
      if (!(size instanceof TimesBatch)) return size;
      return size.factor === 1 ? 'batch' : `${size.factor} * batch`;
    });
    return { name, dtype: this.#describe(value).dtype as OnnxDType, shape };
  }
}

const isExported = (dtype: DType): boolean => dtype === 'float32' || dtype === 'int32' || dtype === 'uint8';
