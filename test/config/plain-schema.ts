// The keywords of JSON schema that recipes/schema.json uses, evaluated as the specification says (draft 2020-12).

export interface Schema {
  $schema?: string;
  title?: string;
  description?: string;
  default?: unknown;
  type?: string;
  enum?: unknown[];
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  additionalProperties?: false;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
}

const keywords = [
  ...['$schema', 'title', 'description', 'default', 'type', 'enum', 'anyOf', 'properties', 'additionalProperties'],
  ...['items', 'minItems', 'maxItems', 'minLength', 'pattern', 'minimum', 'maximum', 'exclusiveMinimum'],
];

/** Throws for keywords that are not evaluated here. */
export function isValid(schema: Schema, value: unknown): boolean {
  const unknown = Object.keys(schema).find((keyword) => !keywords.includes(keyword));
  if (unknown !== undefined) throw new Error(`This evaluator does not know ${unknown}.`);
  return (
    (schema.type === undefined || isOfType(schema.type, value)) &&
    (schema.enum?.includes(value) ?? true) &&
    (schema.anyOf?.some((one) => isValid(one, value)) ?? true) &&
    isObjectValid(schema, value) &&
    isArrayValid(schema, value) &&
    (typeof value !== 'string' || isStringValid(schema, value)) &&
    (typeof value !== 'number' || isNumberValid(schema, value))
  );
}

function isOfType(type: string, value: unknown): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type && value !== null && !Array.isArray(value);
}

function isObjectValid({ properties = {}, additionalProperties }: Schema, value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return true;
  return Object.entries(value).every(([key, inner]) =>
    properties[key] ? isValid(properties[key], inner) : additionalProperties !== false,
  );
}

function isArrayValid({ items, minItems = 0, maxItems = Infinity }: Schema, value: unknown): boolean {
  if (!Array.isArray(value)) return true;
  return value.length >= minItems && value.length <= maxItems && value.every((item) => !items || isValid(items, item));
}

const isStringValid = ({ minLength = 0, pattern = '' }: Schema, value: string): boolean =>
  value.length >= minLength && new RegExp(pattern).test(value);

const isNumberValid = (schema: Schema, value: number): boolean =>
  value >= (schema.minimum ?? -Infinity) &&
  value <= (schema.maximum ?? Infinity) &&
  value > (schema.exclusiveMinimum ?? -Infinity);
