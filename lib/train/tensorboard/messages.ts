// The part of TensorBoard's protocol-buffer messages that is written, with their public field numbers.
// Format: tensorboard/compat/proto/event.proto, summary.proto, histogram.proto, tensor.proto, graph.proto.
import { encoderOf } from '../../interop/protobuf.js';

/** The version that an event file begins with. From 2 on a restart is told by SessionLog.START. */
export const fileVersion = 'brain.Event:2';

/** SessionLog.SessionStatus.START: values from this event's step on, that were written before, are hidden. */
export const sessionStart = 1;

/** DataType.DT_STRING */
export const stringType = 7;

export const encode = encoderOf({
  Event: {
    wallTime: [1, 'double'], // seconds since 1970
    step: [2, 'int64'],
    fileVersion: [3, 'string'],
    graphDef: [4, 'bytes'],
    summary: [5, 'Summary'],
    sessionLog: [7, 'SessionLog'],
  },
  SessionLog: { status: [1, 'int32'] },
  Summary: { value: [1, 'SummaryValue', 'repeated'] },
  SummaryValue: {
    tag: [1, 'string'],
    simpleValue: [2, 'float'],
    image: [4, 'SummaryImage'],
    histo: [5, 'HistogramProto'],
    tensor: [8, 'TensorProto'],
    metadata: [9, 'SummaryMetadata'],
  }, // Summary.Value
  SummaryImage: {
    height: [1, 'int32'],
    width: [2, 'int32'],
    colorspace: [3, 'int32'],
    encodedImageString: [4, 'bytes'],
  }, // Summary.Image
  HistogramProto: {
    min: [1, 'double'],
    max: [2, 'double'],
    num: [3, 'double'],
    sum: [4, 'double'],
    sumSquares: [5, 'double'],
    bucketLimit: [6, 'double', 'repeated'],
    bucket: [7, 'double', 'repeated'],
  },
  SummaryMetadata: { pluginData: [1, 'PluginData'] },
  PluginData: { pluginName: [1, 'string'] }, // SummaryMetadata.PluginData
  TensorProto: { dtype: [1, 'int32'], tensorShape: [2, 'TensorShapeProto'], stringVal: [8, 'bytes', 'repeated'] },
  TensorShapeProto: { dim: [2, 'Dim', 'repeated'] },
  Dim: { size: [1, 'int64'] }, // TensorShapeProto.Dim
  GraphDef: { node: [1, 'NodeDef', 'repeated'] },
  NodeDef: {
    name: [1, 'string'],
    op: [2, 'string'],
    input: [3, 'string', 'repeated'],
    attr: [5, 'Attribute', 'repeated'],
  },
  Attribute: { key: [1, 'string'], value: [2, 'AttrValue'] }, // an entry of the map NodeDef.attr
  AttrValue: { list: [1, 'ListValue'] },
  ListValue: { shape: [7, 'TensorShapeProto', 'repeated'] }, // AttrValue.ListValue
});
