// The JSON schema of config files (draft 2020-12), for editors: made of the table.
import { trainKind } from './fields.js';
import type { Field, Fields, Kind } from './kinds.js';

export type JsonSchema = { readonly [key: string]: unknown };

/** What recipes/schema.json has: `npm run schema` writes it. */
export const configSchema: JsonSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'A training run of residua',
  description: 'A config file of `residua train`: any of these keys; the others have defaults.',
  ...schemaOf({
    is: 'group',
    fields: { $schema: { kind: { is: 'text' }, describe: 'Where editors find this schema.' }, ...trainKind.fields },
  }),
};

function schemaOf(kind: Kind): JsonSchema {
  switch (kind.is) {
    case 'null':
    case 'boolean':
      return { type: kind.is };
    case 'text':
      return { type: 'string', minLength: 1 };
    case 'integer':
    case 'number':
      return withoutUndefined({ type: kind.is, minimum: kind.min, maximum: kind.max, exclusiveMinimum: kind.above });
    case 'word':
      return wordSchema(kind);
    case 'list':
      return withoutUndefined({
        type: 'array',
        items: schemaOf(kind.of),
        minItems: kind.length ?? 1,
        maxItems: kind.length,
      });
    case 'group':
      return groupSchema(kind);
    default:
      return { anyOf: kind.kinds.map(schemaOf) };
  }
}

function wordSchema({ words, or }: Extract<Kind, { is: 'word' }>): JsonSchema {
  const known = { enum: [...words] };
  return or ? { anyOf: [known, { type: 'string', pattern: or.pattern.source }] } : known;
}

function groupSchema({ fields, short }: Extract<Kind, { is: 'group' }>): JsonSchema {
  const properties = Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, fieldSchema(field)]));
  const group = { type: 'object', properties, additionalProperties: false };
  return short === undefined ? group : { anyOf: [schemaOf((fields as Fields)[short]?.kind as Kind), group] };
}

function fieldSchema({ kind, describe, default: value }: Field): JsonSchema {
  return withoutUndefined({ description: describe, ...schemaOf(kind), default: value });
}

function withoutUndefined(schema: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([, value]) => value !== undefined));
}
