// The graph of a net for TensorBoard: what it computes in prediction, op by op, in the folders of its layers.
import type { Device } from '../../device.js';
import { type RecordedNet, recordNet } from '../../interop/onnx/recorded-net.js';
import type { Block } from '../../nn/block.js';
import { encode } from './messages.js';

/** The bytes of a GraphDef, for an input of this shape. Throws what `recordNet` throws. */
export async function graphDef(net: Block, inputShape: readonly number[], device: Device): Promise<Uint8Array> {
  const recorded = await recordNet(net, inputShape, device, { readParameters: false });
  const { program } = recorded;
  const names = new Names();
  const made = new Map<number, string>(); // how a node names the value that it takes, by value
  const leaves = Array.from({ length: program.leafCount }, (_, leaf) => {
    const { name, op } = leafNode(recorded, leaf);
    made.set(leaf, names.take(name));
    return node(made.get(leaf) as string, op, [], [program.values[leaf]?.shape ?? []]);
  });
  const ops = program.nodes.map(({ op, inputs, outputs }) => {
    const name = names.take(inFolders(`${recorded.layers.get(outputs[0] as number) ?? ''}.${op}`));
    for (const [port, value] of outputs.entries()) made.set(value, port === 0 ? name : `${name}:${port}`);
    const taken = inputs.map((value) => made.get(value) as string);
    return node(
      name,
      op,
      taken,
      outputs.map((value) => program.values[value]?.shape ?? []),
    );
  });
  return encode('GraphDef', { node: [...leaves, ...ops] });
}

function leafNode({ input, parameters }: RecordedNet, leaf: number): { name: string; op: string } {
  if (leaf === input) return { name: 'input', op: 'Placeholder' };
  const parameter = parameters.get(leaf);
  return parameter === undefined ? { name: 'constant', op: 'Const' } : { name: inFolders(parameter), op: 'Parameter' };
}

/** 'layer1.0.conv1' -> 'layer1/0/conv1' */
const inFolders = (path: string): string => path.replace(/^\./, '').replaceAll('.', '/');

/** NodeDef. `_output_shapes` is what TensorBoard writes beside the lines. */
function node(name: string, op: string, input: readonly string[], shapes: readonly (readonly number[])[]) {
  const shape = shapes.map((sizes) => ({ dim: sizes.map((size) => ({ size })) }));
  return { name, op, input, attr: [{ key: '_output_shapes', value: { list: { shape } } }] };
}

/** Names, each once. */
class Names {
  readonly #taken = new Map<string, number>();

  take(name: string): string {
    const count = this.#taken.get(name) ?? 0;
    this.#taken.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  }
}
