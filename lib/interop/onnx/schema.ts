// The part of ONNX's protocol-buffer messages that an exported model uses, with their public field numbers.
// Format: https://onnx.ai/onnx/repo-docs/IR.html, onnx/onnx.proto.
import protobuf from 'protobufjs/light.js';
import { encoderOf, type Messages } from '../protobuf.js';

/** Versions that are written: intermediate representation 8 belongs to operator set 18 (ONNX 1.13). */
export const irVersion = 8;
export const opsetVersion = 18;

/** TensorProto.DataType */
export const dataTypes = { float32: 1, uint8: 2, int32: 6, int64: 7 } as const;
export type OnnxDType = keyof typeof dataTypes;

/** AttributeProto.AttributeType */
export const attributeTypes = { float: 1, int: 2, string: 3, ints: 7 } as const;

const messages: Messages = {
  ModelProto: {
    irVersion: [1, 'int64'],
    producerName: [2, 'string'],
    producerVersion: [3, 'string'],
    graph: [7, 'GraphProto'],
    opsetImport: [8, 'OperatorSetIdProto', 'repeated'],
    metadataProps: [14, 'StringStringEntryProto', 'repeated'],
  },
  OperatorSetIdProto: { domain: [1, 'string'], version: [2, 'int64'] },
  StringStringEntryProto: { key: [1, 'string'], value: [2, 'string'] },
  GraphProto: {
    node: [1, 'NodeProto', 'repeated'],
    name: [2, 'string'],
    initializer: [5, 'TensorProto', 'repeated'],
    input: [11, 'ValueInfoProto', 'repeated'],
    output: [12, 'ValueInfoProto', 'repeated'],
  },
  NodeProto: {
    input: [1, 'string', 'repeated'],
    output: [2, 'string', 'repeated'],
    name: [3, 'string'],
    opType: [4, 'string'],
    attribute: [5, 'AttributeProto', 'repeated'],
  },
  AttributeProto: {
    name: [1, 'string'],
    f: [2, 'float'],
    i: [3, 'int64'],
    s: [4, 'bytes'],
    ints: [8, 'int64', 'repeated'],
    type: [20, 'int32'],
  },
  TensorProto: { dims: [1, 'int64', 'repeated'], dataType: [2, 'int32'], name: [8, 'string'], rawData: [9, 'bytes'] },
  ValueInfoProto: { name: [1, 'string'], type: [2, 'TypeProto'] },
  TypeProto: { tensorType: [1, 'TensorTypeProto'] },
  TensorTypeProto: { elemType: [1, 'int32'], shape: [2, 'TensorShapeProto'] }, // TypeProto.Tensor
  TensorShapeProto: { dim: [1, 'DimensionProto', 'repeated'] },
  DimensionProto: { dimValue: [1, 'int64'], dimParam: [2, 'string'] }, // TensorShapeProto.Dimension
};

/** The bytes of a message; without those fields that are not set. */
export const encode = encoderOf(messages);

/** What a field that holds so many bytes begins with: its number and wire type (length-delimited), and the length. */
export function startOfField(message: string, name: string, length: number): Uint8Array {
  const id = messages[message]?.[name]?.[0] as number;
  return protobuf.Writer.create()
    .uint32((id << 3) | 2)
    .uint32(length)
    .finish();
}
