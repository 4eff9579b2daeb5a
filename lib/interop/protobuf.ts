// Protocol-buffer messages from tables of their public field numbers: only what is written has to be named.
import protobuf from 'protobufjs/light.js';

type Field = readonly [id: number, type: string, rule?: 'repeated'];

/** Field names and numbers by message. */
export type Messages = Readonly<Record<string, Readonly<Record<string, Field>>>>;

export type Encoder = (message: string, fields: Readonly<Record<string, unknown>>) => Uint8Array;

/** A field that is set to 0 is written too: for some readers it is there only then. */
const present = { features: { field_presence: 'EXPLICIT' } };

/** A function that gives the bytes of a message of the table; with those fields that are set. */
export function encoderOf(messages: Messages): Encoder {
  const root = protobuf.Root.fromJSON({
    nested: Object.fromEntries(
      Object.entries(messages).map(([message, fields]) => [
        message,
        {
          fields: Object.fromEntries(
            Object.entries(fields).map(([name, [id, type, rule]]) => [
              name,
              rule ? { id, type, rule } : { id, type, options: present },
            ]),
          ),
        },
      ]),
    ),
  });
  return (message, fields) => root.lookupType(message).encode(fields).finish();
}
