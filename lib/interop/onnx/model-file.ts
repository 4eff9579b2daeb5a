// Encodes an ONNX model and writes it. Weights go from where they are to the file: nothing of their size is built in memory.
import { CheckpointError, ConfigError } from '../../errors.js';
import { writeFileAtomically } from '../atomic-file.js';
import { type Attributes, FloatAttribute, type Initializer, type OnnxGraph, type ValueInfo } from './graph.js';
import { attributeTypes, dataTypes, encode, irVersion, opsetVersion, startOfField } from './schema.js';

export interface OnnxModel {
  name: string;
  graph: OnnxGraph;
  input: ValueInfo;
  output: ValueInfo;
  producerVersion: string;
  /** Texts by name: `metadata_props`. */
  metadata: Readonly<Record<string, string>>;
}

/** The most that readers of protocol buffers take. */
const largestFile = 2 ** 31 - 1;

/** Writes the file whole or not at all. Throws CheckpointError with the system's reason, and ConfigError above 2 GB. */
export async function writeModel(file: string, model: OnnxModel): Promise<void> {
  const parts = modelParts(model);
  const size = sizeOf(parts);
  if (size > largestFile)
    throw new ConfigError(
      `${file}: an ONNX file holds at most ${largestFile} bytes, the format's limit, and this net needs ${size}.`,
      { file, expected: largestFile, found: size },
    );
  try {
    await writeFileAtomically(file, parts);
  } catch (cause) {
    throw new CheckpointError(`${file}: cannot be written: ${(cause as Error).message}`, { file }, { cause });
  }
}

/** The bytes of the file, one part after another. A message may be cut between its fields, and their order is free. */
function modelParts({ name, graph, input, output, producerVersion, metadata }: OnnxModel): Uint8Array[] {
  const structure = encode('GraphProto', {
    name,
    node: graph.nodes.map(({ name: nodeName, opType, inputs, outputs, attributes }) => ({
      name: nodeName,
      opType,
      input: inputs,
      output: outputs,
      attribute: attributesOf(attributes),
    })),
    input: [valueInfo(input)],
    output: [valueInfo(output)],
  });
  const weights = [...graph.initializers].flatMap(([weight, initializer]) => initializerParts(weight, initializer));
  const head = encode('ModelProto', {
    irVersion,
    producerName: 'residua',
    producerVersion,
    opsetImport: [{ domain: '', version: opsetVersion }],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  });
  const graphParts = [structure, ...weights];
  return [head, startOfField('ModelProto', 'graph', sizeOf(graphParts)), ...graphParts];
}

/** The field `initializer` of a graph: a tensor whose values are where they were. */
function initializerParts(name: string, { dtype, shape, values }: Initializer): Uint8Array[] {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength); // little-endian, as ONNX has it
  const tensor = [
    encode('TensorProto', { name, dims: shape, dataType: dataTypes[dtype] }),
    startOfField('TensorProto', 'rawData', bytes.length),
    bytes,
  ];
  return [startOfField('GraphProto', 'initializer', sizeOf(tensor)), ...tensor];
}

const sizeOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, part) => sum + part.length, 0);

function attributesOf(attributes: Attributes): object[] {
  return Object.entries(attributes).map(([name, value]) => {
    if (value instanceof FloatAttribute) return { name, f: value.value, type: attributeTypes.float };
    if (typeof value === 'number') return { name, i: value, type: attributeTypes.int };
    if (typeof value === 'string') return { name, s: Buffer.from(value), type: attributeTypes.string };
    return { name, ints: value, type: attributeTypes.ints };
  });
}

function valueInfo({ name, dtype, shape }: ValueInfo): object {
  const dim = shape.map((size) => (typeof size === 'string' ? { dimParam: size } : { dimValue: size }));
  return { name, type: { tensorType: { elemType: dataTypes[dtype], shape: { dim } } } };
}
