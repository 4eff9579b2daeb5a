// Which option of `residua train` a key of a config is.
import type { Command, Option } from 'commander';
import { ConfigError } from '../../errors.js';
import { configFromOptions } from './config-from-options.js';

/** The keys that lead to what an option sets: ['optimizer', 'learningRate']. Null for options that belong to one run alone. */
export function configPathOf(option: Option): string[] | null {
  const mark: { name?: unknown } = {};
  mark.name = mark; // a device is told by its name
  return pathTo(mark, configFromOptions({ [option.attributeName()]: mark }));
}

/** The keys that lead to `mark`. */
function pathTo(mark: unknown, values: object): string[] | null {
  for (const [key, value] of Object.entries(values)) {
    if (value === mark) return [key];
    const rest = typeof value === 'object' && value !== null ? pathTo(mark, value) : null;
    if (rest) return [key, ...rest];
  }
  return null;
}

/** What `resolve` returns. A ConfigError that it throws names the option beside the key: who gave no config file knows that alone. */
export function namingOptions<T>(command: Command, resolve: () => T): T {
  try {
    return resolve();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const key = String(error.details.argument);
    const isShown = ({ long, hidden }: Option): boolean => long !== undefined && !hidden;
    const option = command.options.filter(isShown).find((each) => configPathOf(each)?.join('.') === key);
    if (option === undefined || !error.message.startsWith(`The config: ${key}:`)) throw error;
    const message = error.message.replace(`The config: ${key}:`, `The config: ${key} (${option.long}):`);
    throw new ConfigError(message, error.details, { cause: error });
  }
}
