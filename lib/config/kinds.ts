// The kinds of values that a config has: how each is checked, named in messages and told to editors as JSON schema.
import { nearestName } from '../nearest-name.js';

/** A key of a group. */
export interface Field {
  kind: Kind;
  /** One sentence, for editors. */
  describe: string;
  /** Where it does not depend on the rest of the config: that is in defaults.ts, and told in `describe`. */
  default?: unknown;
}

export type Fields = Readonly<Record<string, Field>>;

export type Kind =
  | { is: 'null' | 'boolean' }
  | { is: 'integer' | 'number'; min?: number; max?: number /** Exclusive. */; above?: number }
  | { is: 'text' }
  /** One of the words; `or`: also what this matches, `like` for people. */
  | { is: 'word'; words: readonly string[]; or?: { pattern: RegExp; like: string } }
  | { is: 'list'; of: Kind; length?: number }
  /** Keys, of which any may be missing. `short`: the key that a plain word stands for. */
  | { is: 'group'; fields: Fields; short?: string }
  | { is: 'either'; kinds: readonly Kind[] };

/** What is wrong with a value. */
export interface Problem {
  /** Keys and indices from the value that was checked to the wrong one. */
  path: (string | number)[];
  expected: string;
  found: unknown;
  /** Of an unknown key or word: the known one nearest to it. */
  nearest?: string;
  /** An unknown key, and those that are known beside it. */
  unknownKey?: { key: string; known: readonly string[] };
}

const isGroup = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The first thing that is wrong; null where the value is of the kind. Keys that are undefined are not there. */
export function problemIn(kind: Kind, value: unknown): Problem | null {
  if (kind.is === 'either') return problemInEither(kind.kinds, value);
  if (kind.is === 'group') return problemInGroup(kind, value);
  if (kind.is === 'list') return problemInList(kind, value);
  if (fits(kind, value)) return null;
  const problem: Problem = { path: [], expected: nameOf(kind), found: value };
  if (kind.is === 'word' && typeof value === 'string') problem.nearest = nearestName(value, namesOf(kind));
  return problem;
}

/** The values without keys of their own. */
function fits(kind: Exclude<Kind, { is: 'either' | 'group' | 'list' }>, value: unknown): boolean {
  switch (kind.is) {
    case 'null':
      return value === null;
    case 'boolean':
      return typeof value === 'boolean';
    case 'text':
      return typeof value === 'string' && value !== '';
    case 'word':
      return typeof value === 'string' && (kind.words.includes(value) || (kind.or?.pattern.test(value) ?? false));
    default: {
      const { is, min = -Infinity, max = Infinity, above = -Infinity } = kind;
      const isNumber = is === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value);
      return isNumber && (value as number) >= min && (value as number) <= max && (value as number) > above;
    }
  }
}

/** Where none fits, the message is that of the one whose form the value has. */
function problemInEither(kinds: readonly Kind[], value: unknown): Problem | null {
  const problems = kinds.map((kind) => problemIn(kind, value));
  if (problems.includes(null)) return null;
  const deeper = problems.find((problem) => problem?.unknownKey || (problem?.path.length ?? 0) > 0);
  const nearest = problems.find((problem) => problem?.nearest)?.nearest;
  return deeper ?? { path: [], expected: kinds.map(nameOf).join(' or '), found: value, nearest };
}

function problemInGroup({ fields, short }: Extract<Kind, { is: 'group' }>, value: unknown): Problem | null {
  const shortKind = short === undefined ? undefined : fields[short]?.kind;
  if (shortKind && typeof value === 'string') return problemIn(shortKind, value);
  if (!isGroup(value))
    return { path: [], expected: `a group with any of ${Object.keys(fields).join(', ')}`, found: value };
  for (const [key, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    const known = Object.keys(fields);
    if (!known.includes(key))
      return {
        path: [key],
        expected: `one of ${known.join(', ')}`,
        found: inner,
        nearest: nearestKey(key, fields),
        unknownKey: { key, known },
      };
    const problem = problemIn((fields[key] as Field).kind, inner);
    if (problem) return { ...problem, path: [key, ...problem.path] };
  }
  return null;
}

/** The nearest of the keys, and of those of the groups below, these with their group: 'learningRate' is meant to be in 'optimizer'. */
function nearestKey(key: string, fields: Readonly<Record<string, Field>>): string {
  const below = Object.entries(fields).flatMap(([group, { kind }]) =>
    kind.is === 'group' ? Object.keys(kind.fields).map((name): [string, string] => [name, `${group}.${name}`]) : [],
  );
  const places = [...Object.keys(fields).map((name): [string, string] => [name, name]), ...below];
  const nearest = nearestName(
    key,
    places.map(([name]) => name),
  );
  return (places.find(([name]) => name === nearest) as [string, string])[1];
}

function problemInList(kind: Extract<Kind, { is: 'list' }>, value: unknown): Problem | null {
  const hasLength = Array.isArray(value) && value.length > 0 && value.length === (kind.length ?? value.length);
  if (!hasLength) return { path: [], expected: nameOf(kind), found: value };
  for (const [index, item] of value.entries()) {
    const problem = problemIn(kind.of, item);
    if (problem) return { ...problem, path: [index, ...problem.path] };
  }
  return null;
}

const namesOf = ({ words, or }: Extract<Kind, { is: 'word' }>): string[] => [...words, ...(or ? [or.like] : [])];

/** As a message names it. */
function nameOf(kind: Kind): string {
  switch (kind.is) {
    case 'boolean':
      return 'true or false';
    case 'text':
      return 'a text';
    case 'word':
      return wordsName(namesOf(kind));
    case 'list':
      return `a list of ${kind.length ?? 'at least 1'} values, each ${nameOf(kind.of)}`;
    case 'group':
      return `a group with any of ${Object.keys(kind.fields).join(', ')}`;
    case 'either':
      return kind.kinds.map(nameOf).join(' or ');
    case 'null':
      return 'null';
    default:
      return numberName(kind);
  }
}

/** All of a few words; of many the first ones, for the nearest is told too. */
function wordsName(words: readonly string[]): string {
  const quoted = words.map((word) => `'${word}'`);
  const most = 8;
  if (quoted.length <= most) return quoted.join(', ');
  return `${quoted.slice(0, most / 2).join(', ')} or one of ${quoted.length - most / 2} others`;
}

function numberName({ is, min, max, above }: Extract<Kind, { is: 'integer' | 'number' }>): string {
  const bounds = [
    ...(min === undefined ? [] : [`of at least ${min}`]),
    ...(above === undefined ? [] : [`above ${above}`]),
    ...(max === undefined ? [] : [`at most ${max}`]),
  ];
  return [is === 'integer' ? 'a whole number' : 'a number', bounds.join(' and ')].join(' ').trim();
}
