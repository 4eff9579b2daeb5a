// An ONNX graph as it grows: nodes, initializers, names. What it is encoded from: model-file.ts.
import type { OnnxDType } from './schema.js';

export type AttributeValue = number | string | readonly number[];

/** An attribute that is a number of type float; plain numbers are integers. */
export class FloatAttribute {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

export type Attributes = Readonly<Record<string, AttributeValue | FloatAttribute>>;

export interface OnnxNode {
  name: string;
  opType: string;
  inputs: string[];
  outputs: string[];
  attributes: Attributes;
}

export type OnnxValues = Float32Array | Int32Array | Uint8Array | BigInt64Array;

export interface Initializer {
  dtype: OnnxDType;
  shape: readonly number[];
  values: OnnxValues;
}

/** A size of an input or output: a number, or the name of one that is only known at run time. */
export interface ValueInfo {
  name: string;
  dtype: OnnxDType;
  shape: readonly (number | string)[];
}

export class OnnxGraph {
  readonly nodes: OnnxNode[] = [];
  readonly initializers = new Map<string, Initializer>();
  readonly #names = new Set<string>();
  readonly #int64s = new Map<string, string>(); // contents -> name

  /** The name, or with a number behind it where it is taken. */
  unusedName(wanted: string): string {
    let name = wanted;
    for (let n = 2; this.#names.has(name); n++) name = `${wanted}_${n}`;
    this.#names.add(name);
    return name;
  }

  addInitializer(wanted: string, initializer: Initializer): string {
    const name = this.unusedName(wanted);
    this.initializers.set(name, initializer);
    return name;
  }

  /** A vector of integers, such as axes and shapes; equal ones are one initializer. */
  int64(values: readonly number[]): string {
    const key = values.join('x');
    let name = this.#int64s.get(key);
    if (name === undefined) {
      const contents = BigInt64Array.from(values, BigInt);
      name = this.addInitializer(`int64_${key}`, { dtype: 'int64', shape: [values.length], values: contents });
      this.#int64s.set(key, name);
    }
    return name;
  }

  /** Adds a node of one output; returns the output's name. */
  addNode(opType: string, inputs: readonly string[], attributes: Attributes, where: string): string {
    const name = this.unusedName(where ? `${where}/${opType}` : opType);
    const output = this.unusedName(`${name}_output`);
    this.nodes.push({ name, opType, inputs: [...inputs], outputs: [output], attributes });
    return output;
  }

  /** Gives what a node makes another name, everywhere. */
  rename(from: string, to: string): void {
    const renamed = (names: readonly string[]): string[] => names.map((name) => (name === from ? to : name));
    for (const node of this.nodes) {
      node.inputs = renamed(node.inputs);
      node.outputs = renamed(node.outputs);
    }
  }
}
