// Options of benchmarks, checked: numbers in range, lists of known words. What does not fit ends the process with status 2.
import { parseArgs } from 'node:util';

type Spec = Record<string, { type: 'string'; default: string } | { type: 'boolean'; default: boolean }>;
type Values<S extends Spec> = { [K in keyof S]: S[K]['type'] extends 'string' ? string : boolean };

export class ArgumentError extends Error {}

/** The options as they were given; names that `spec` lacks are refused. */
export function parseOptions<S extends Spec>(spec: S, args: readonly string[] = process.argv.slice(2)): Values<S> {
  try {
    return parseArgs({ args: [...args], options: spec, strict: true }).values as unknown as Values<S>;
  } catch (error) {
    const known = Object.keys(spec).map((name) => `--${name}`);
    throw new ArgumentError(`${(error as Error).message} The options are ${known.join(' ')}.`);
  }
}

/** An integer of at least `min`. */
export function integer(name: string, text: string, min = 1): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < min)
    throw new ArgumentError(`Expected --${name} to be an integer of at least ${min}, got '${text}'.`);
  return value;
}

/** A number above 0. */
export function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Infinity))
    throw new ArgumentError(`Expected --${name} to be a number above 0, got '${text}'.`);
  return value;
}

/** 'a,b' as a list of integers of at least 1. */
export const integers = (name: string, text: string): number[] => text.split(',').map((part) => integer(name, part));

/** 'a,b' as a list of words, each of them known. */
export function words<T extends string>(name: string, text: string, known: readonly T[]): T[] {
  return text.split(',').map((part) => {
    const word = known.find((candidate) => candidate === part);
    if (word === undefined)
      throw new ArgumentError(`Expected --${name} to be a list of ${known.join(', ')}, got '${part}'.`);
    return word;
  });
}

/** Runs a benchmark; where its arguments do not fit, says so and exits with status 2. */
export async function main(benchmark: () => void | Promise<void>): Promise<void> {
  try {
    await benchmark();
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
}
