// Checks of option objects from outside: unknown names, numbers out of range. Each throws a ConfigError that names the argument.
import { ConfigError } from './errors.js';

/** One number for both axes, or [height, width]. */
export type Size2d = number | readonly [number, number];

function show(value: unknown): string {
  return typeof value === 'number' || value === undefined ? String(value) : (JSON.stringify(value) ?? typeof value);
}

function fail(where: string, name: string, expected: string, value: unknown): never {
  throw new ConfigError(`${where} expected ${name} to be ${expected}, got ${show(value)}.`, {
    argument: name,
    found: value,
  });
}

/** Refuses anything but an object whose names are all among `known`. */
export function checkOptions(where: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    fail(where, 'its options', 'an object', options);
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new ConfigError(`${where} does not know the option '${unknown}'. It knows: ${known.join(', ')}.`, {
      argument: unknown,
    });
  }
}

/** An integer of at least `min`. */
export function checkInteger(where: string, name: string, value: unknown, min: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < min)
    fail(where, name, `an integer of at least ${min}`, value);
  return value as number;
}

/** A finite number of at least `min`, or above it if `exclusive`, and at most `max`. */
export function checkNumber(
  where: string,
  name: string,
  value: unknown,
  { min = -Infinity, max = Infinity, exclusive = false }: { min?: number; max?: number; exclusive?: boolean } = {},
): number {
  const low = min === -Infinity ? '' : ` ${exclusive ? 'above' : 'of at least'} ${min}`;
  const high = max === Infinity ? '' : `${low ? ' and' : ''} at most ${max}`;
  const fits =
    Number.isFinite(value) && (value as number) >= min && (value as number) <= max && !(exclusive && value === min);
  if (!fits) fail(where, name, `a finite number${low}${high}`, value);
  return value as number;
}

export function checkBoolean(where: string, name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') fail(where, name, 'true or false', value);
  return value;
}

/** One of the given words. */
export function checkChoice<T extends string>(where: string, name: string, value: unknown, choices: readonly T[]): T {
  if (!choices.includes(value as T)) fail(where, name, choices.map((choice) => `'${choice}'`).join(' or '), value);
  return value as T;
}

/** [height, width] from one integer for both or from a pair, each at least `min`. */
export function checkPair(where: string, name: string, value: unknown, min: number): readonly [number, number] {
  const pair = Array.isArray(value) ? value : [value, value];
  const fits = pair.length === 2 && pair.every((n) => Number.isSafeInteger(n) && n >= min);
  if (!fits) fail(where, name, `an integer of at least ${min} or two of them [height, width]`, value);
  return Object.freeze([pair[0] as number, pair[1] as number] as const);
}
