// A net's prediction as a program, with everything that is not the input known by value: what is exported.
import { pause } from '../../autograd/tape.js';
import { backendOf, type Device } from '../../device.js';
import { ConfigError } from '../../errors.js';
import { recordWithLeaves } from '../../graph/deferral.js';
import type { Program } from '../../graph/program.js';
import type { Leaf } from '../../graph/recorder.js';
import { VirtualTensor } from '../../graph/virtual-tensor.js';
import type { NativeTensor, TypedArray } from '../../native.js';
import { activeBlock } from '../../nn/forward.js';
import type { Block } from '../../nn/index.js';
import { autocast } from '../../precision.js';
import { zeros } from '../../tensor/create.js';
import { tidy } from '../../tensor/scope.js';

export interface RecordedNet {
  program: Program;
  /** The leaf that is the input. */
  input: number;
  /** What the net returns. */
  output: number;
  /** Structural names of the parameters, by leaf. Leaves that are neither these nor the input are constants of the net's code. */
  parameters: ReadonlyMap<number, string>;
  /** Values of parameters and constants, by leaf. */
  constants: ReadonlyMap<number, TypedArray>;
  /** Structural name of the layer that makes a value. */
  layers: ReadonlyMap<number, string>;
}

/**
 * Records what the net does in prediction, in float32, with an input of this shape. Nothing is run. Values are those of the time
 * of the call. Throws what the forward pass throws, and ConfigError where it reads values. `readParameters` false: only the
 * values of other constants are read.
 */
export async function recordNet(
  net: Block,
  inputShape: readonly number[],
  device: Device,
  { readParameters = true }: { readParameters?: boolean } = {},
): Promise<RecordedNet> {
  const { leaves, ...recorded } = recordForward(net, inputShape, device);
  const names = parameterNames(net);
  const parameters = new Map(
    leaves.flatMap(({ given }, leaf) => (names.has(given) ? [[leaf, names.get(given) as string]] : [])),
  );
  const isWanted = (leaf: number): boolean => leaf !== recorded.input && (readParameters || !parameters.has(leaf));
  const reading = leaves.flatMap(({ values }, leaf) => (isWanted(leaf) ? [read(leaf, values, device)] : []));
  for (const { values } of leaves) values.dispose(); // what is being read has been asked for
  return { ...recorded, parameters, constants: new Map(await Promise.all(reading)) };
}

async function read(leaf: number, values: NativeTensor, device: Device): Promise<[number, TypedArray]> {
  return [leaf, await backendOf(device).readAsync(values)];
}

function parameterNames(net: Block): Map<NativeTensor, string> {
  const initialized = [...net.collectParams()].filter(([, parameter]) => parameter.initialized);
  return new Map(initialized.map(([name, parameter]) => [parameter.data().native, name]));
}

type Forward = Omit<RecordedNet, 'constants' | 'parameters'> & { leaves: Leaf[] };

function recordForward(net: Block, inputShape: readonly number[], device: Device): Forward {
  return tidy(() => {
    const x = zeros(inputShape, { device });
    const blocks: (Block | undefined)[] = []; // by number of the op
    let made = x.native;
    const { program, leaves } = recordWithLeaves(
      backendOf(device),
      () => {
        made = autocast('float32', () => pause(() => net.forward(x))).native;
      },
      () => blocks.push(activeBlock()),
    );
    const paths = new Map([...net.descendants()].map(([path, block]) => [block, path]));
    const layers = program.nodes.flatMap(({ outputs }, i) => {
      const path = paths.get(blocks[i] as Block) ?? '';
      return outputs.map((value): [number, string] => [value, path]);
    });
    return {
      program,
      leaves,
      input: inputOf(x.native, leaves),
      output: outputOf(made, program),
      layers: new Map(layers),
    };
  });
}

/** The leaf that is the net's input. */
function inputOf(given: NativeTensor, leaves: readonly Leaf[]): number {
  const leaf = leaves.findIndex((candidate) => candidate.given === given);
  if (leaf >= 0) return leaf;
  throw new ConfigError('exportOnnx() expected a net that uses its input, got one that does not.');
}

/** The number of the value that the net returned. */
function outputOf(made: NativeTensor, program: Program): number {
  if (made instanceof VirtualTensor && program.nodes.length > 0) return program.leafCount + made.number;
  throw new ConfigError('exportOnnx() expected a net that computes something, got one whose output is made by no op.');
}
