// Reads ONNX files with a protocol-buffer reader of its own: field numbers and wire types, no schema.

/** A field of a message: its number, and a number (wire type 0) or bytes (1, 2, 5). */
export interface WireField {
  id: number;
  value: number | Uint8Array;
}

/** The fields of a message in their order. */
export function fieldsOf(bytes: Uint8Array): WireField[] {
  const fields: WireField[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] as number;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const wireType = tag & 7;
    if (wireType === 0) {
      fields.push({ id: tag >>> 3, value: varint() });
      continue;
    }
    if (wireType !== 1 && wireType !== 2 && wireType !== 5) throw new Error(`wire type ${wireType} at ${at}`);
    const length = wireType === 2 ? varint() : wireType === 1 ? 8 : 4;
    fields.push({ id: tag >>> 3, value: bytes.subarray(at, at + length) });
    at += length;
  }
  return fields;
}

const text = (value: unknown): string => Buffer.from(value as Uint8Array).toString();
const all = (fields: readonly WireField[], id: number): unknown[] =>
  fields.filter((field) => field.id === id).map(({ value }) => value);
const messages = (fields: readonly WireField[], id: number): WireField[][] =>
  all(fields, id).map((value) => fieldsOf(value as Uint8Array));

/** What tests look at in a model (onnx.proto's field numbers). */
export function readOnnx(bytes: Uint8Array) {
  const model = fieldsOf(bytes);
  const [graph] = messages(model, 7) as [WireField[]];
  return {
    irVersion: all(model, 1)[0],
    producer: [text(all(model, 2)[0]), text(all(model, 3)[0])],
    opset: messages(model, 8).map((entry) => all(entry, 2)[0]),
    metadata: Object.fromEntries(
      messages(model, 14).map((entry) => [text(all(entry, 1)[0]), text(all(entry, 2)[0])]),
    ) as Record<string, string>,
    name: text(all(graph, 2)[0]),
    opTypes: messages(graph, 1).map((node) => text(all(node, 4)[0])),
    nodeNames: messages(graph, 1).map((node) => text(all(node, 3)[0])),
    initializers: messages(graph, 5).map((tensor) => text(all(tensor, 8)[0])),
  };
}
