// Layers of a config over each other, over the defaults: a whole config, checked.
import { ConfigError } from '../errors.js';
import { checkTogether } from './check-together.js';
import { defaultsFor, type GivenConfig } from './defaults.js';
import { trainKind } from './fields.js';
import type { Fields, Kind } from './kinds.js';
import { problemIn } from './kinds.js';
import { describeProblem } from './problem.js';
import type { PartialTrainConfig, TrainConfig } from './train-config.js';

type Group = Record<string, unknown>;

const isGroup = (value: unknown): value is Group =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The config of these layers: later ones win, key by key, and what none tells has its default, which may depend on the rest. A layer that names
 * another model, schedule, optimizer or data set does not inherit the options that belonged to the earlier one. Null is a value ("none"); undefined is
 * not given. Throws ConfigError, which names the key.
 */
export function resolveConfig(...layers: readonly PartialTrainConfig[]): TrainConfig {
  const given = layers.map(expand).reduce(over, {}) as GivenConfig;
  const config = withDefaults(trainKind, merge(defaultsFor(given), given)) as TrainConfig;
  checkTogether(config);
  return config;
}

/** A layer, checked, with its short forms written out and its schema left out. */
function expand({ $schema: _, ...layer }: PartialTrainConfig): Group {
  const problem = problemIn(trainKind, layer);
  if (problem)
    throw new ConfigError(`The config: ${describeProblem(problem)}`, {
      argument: problem.path.join('.'),
      found: problem.found,
    });
  const written = Object.entries(layer).filter(([, value]) => value !== undefined);
  return Object.fromEntries(written.map(([key, value]) => [key, writtenOut(trainKind.fields[key]?.kind, value)]));
}

function writtenOut(kind: Kind | undefined, value: unknown): unknown {
  return kind?.is === 'group' && kind.short !== undefined && typeof value === 'string'
    ? { [kind.short]: value }
    : value;
}

/** Keys that go with the value of another one: they are dropped when a later layer changes that. */
interface Belonging {
  named: (layer: Group) => unknown;
  /** What it is where no layer says. */
  usual?: string;
  drop: (layer: Group) => Group;
}
const belongings: readonly Belonging[] = [
  { named: ({ model }) => model, drop: ({ modelOptions: _, weights: __, ...rest }) => rest },
  { named: ({ data }) => (data as Group | undefined)?.name, drop: (layer) => without(layer, 'data', ['root']) },
  {
    named: ({ schedule }) => (schedule as Group | undefined)?.name,
    drop: (layer) => without(layer, 'schedule', ['at', 'factor', 'power', 'final', 'warmup', 'warmupFrom']),
  },
  {
    named: ({ optimizer }) => (optimizer as Group | undefined)?.name,
    usual: 'sgd',
    drop: (layer) =>
      without(layer, 'optimizer', ['learningRate', 'momentum', 'nesterov', 'beta1', 'beta2', 'epsilon', 'weightDecay']),
  },
];

function without(layer: Group, key: string, names: readonly string[]): Group {
  const kept = Object.entries((layer[key] ?? {}) as Group).filter(([name]) => !names.includes(name));
  return { ...layer, [key]: Object.fromEntries(kept) };
}

function over(earlier: Group, later: Group): Group {
  let base = earlier;
  for (const { named, usual, drop } of belongings) {
    const [before, after] = [named(earlier) ?? usual, named(later)];
    if (after !== undefined && before !== undefined && before !== after) base = drop(base);
  }
  return merge(base, later);
}

/** Groups are merged key by key; other values, lists among them, are replaced. */
function merge(earlier: Group, later: Group): Group {
  const merged = { ...earlier };
  for (const [key, value] of Object.entries(later)) {
    const before = merged[key];
    if (value !== undefined) merged[key] = isGroup(before) && isGroup(value) ? merge(before, value) : value;
  }
  return merged;
}

/** Fills in the table's defaults, in the table's order. Options of the net without one stay away. */
function withDefaults(kind: Kind, value: unknown): unknown {
  if (kind.is === 'either') return isGroup(value) ? withDefaults(groupOf(kind.kinds), value) : value;
  if (kind.is !== 'group') return value;
  const given = (value ?? {}) as Group;
  const entries = Object.entries(kind.fields as Fields).map(([key, field]) => [
    key,
    withDefaults(field.kind, given[key] === undefined ? field.default : given[key]),
  ]);
  return Object.fromEntries(entries.filter(([, filled]) => filled !== undefined));
}

const groupOf = (kinds: readonly Kind[]): Kind => kinds.find(({ is }) => is === 'group') as Kind;
