// Where an option of `residua train` is in a config, and what it is by default there.
import type { Option } from 'commander';
import { configPathOf } from '../../lib/cli/train/option-places.js';
import { trainKind } from '../../lib/config/fields.js';
import type { Field } from '../../lib/config/kinds.js';

export interface ConfigPlace {
  /** 'optimizer.learningRate' */
  path: string;
  /** In words. */
  default: string;
}

/** Null for options that belong to one run alone. */
export function configPlace(option: Option): ConfigPlace | null {
  const path = configPathOf(option);
  if (path === null) return null;
  return { path: path.join('.'), default: defaultOf(fieldAt(path), option) };
}

function fieldAt(path: readonly string[]): Field {
  let fields = trainKind.fields;
  for (const key of path.slice(0, -1)) {
    const { kind } = fields[key] as Field;
    fields = kind.is === 'group' ? kind.fields : {};
  }
  return fields[path.at(-1) as string] as Field;
}

/** One that depends on the rest is told in the field's description. */
function defaultOf(field: Field, { negate, required, optional }: Option): string {
  const told = toldIn(field.describe, 'Default') ?? toldIn(field.describe, 'Null');
  if (field.default === undefined) return told ?? '';
  if (field.default === null) return told ?? 'none';
  if (typeof field.default !== 'boolean') return String(field.default);
  const isSet = negate ? !field.default : field.default;
  return required || optional || isSet ? String(field.default) : 'off';
}

/** What a description says after a word: 'Default: 0.2 for folders, else null.' The command line has 'none' for null. */
function toldIn(description: string, word: string): string | undefined {
  const sentence = new RegExp(`${word}: (.+?)(?:\\. (?=[A-Z'])|\\.?$)`).exec(description)?.[1];
  return sentence?.replace(/\bnull\b/g, 'none');
}
