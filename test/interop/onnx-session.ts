// Exports a net and runs the file with onnxruntime on the CPU, beside the net itself.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { expect } from 'vitest';
import { interop, type nn, type Tensor, tensor } from '../../lib/index.js';
import { sizeOf, uniformValues } from '../helpers/values.js';
import { readOnnx } from './onnx-file.js';

/** What onnxruntime makes of the input, and what the net makes of it. [n, ...] */
export interface Outputs {
  theirs: Float32Array | Int32Array | Uint8Array;
  ours: ArrayLike<number>;
  shape: readonly number[];
}

/** An exported net that onnxruntime has loaded. */
export class ExportedNet {
  readonly #net: nn.Block;
  readonly #session: InferenceSession;
  readonly #file: string;

  private constructor(net: nn.Block, session: InferenceSession, file: string) {
    this.#net = net;
    this.#session = session;
    this.#file = file;
  }

  static async make(
    net: nn.Block,
    folder: string,
    options: interop.ExportOnnxOptions,
    name = 'net.onnx',
  ): Promise<ExportedNet> {
    const file = join(folder, name);
    await interop.exportOnnx(net, file, options);
    return new ExportedNet(net, await InferenceSession.create(file, { logSeverityLevel: 3 }), file);
  }

  /** Both outputs for values of this shape, drawn from a seed. */
  async run(shape: readonly number[], seed = 1): Promise<Outputs> {
    const values = uniformValues(sizeOf(shape), seed);
    const { output } = await this.#session.run({ input: new OrtTensor('float32', values, shape) });
    const y: Tensor = this.#net.forward(tensor(values, { shape }));
    const ours = await y.data();
    expect(output?.dims).toEqual(y.shape);
    return { theirs: output?.data as Outputs['theirs'], ours, shape: y.shape };
  }

  /** The operators of the graph, in their order. */
  opTypes(): string[] {
    return readOnnx(readFileSync(this.#file)).opTypes;
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

/** The largest difference, as a share of the largest value. */
export function difference({ theirs, ours }: Pick<Outputs, 'theirs' | 'ours'>): number {
  expect(theirs.length).toBe(ours.length);
  let largest = 0;
  let most = 0;
  for (let i = 0; i < theirs.length; i++) {
    const [one, other] = [Number(theirs[i]), ours[i] as number];
    expect(Number.isFinite(one)).toBe(true);
    largest = Math.max(largest, Math.abs(other));
    most = Math.max(most, Math.abs(one - other));
  }
  return most === 0 ? 0 : most / largest;
}
