// Keeps or releases the running statistics of a net's BatchNorm layers.
import { ConfigError } from '../errors.js';
import { checkBoolean } from '../options.js';
import { BatchNorm } from './batch-norm.js';
import { Block } from './block.js';

/**
 * Sets `useGlobalStats` of the net's BatchNorm layers whose structural name ('layer1.0.bn1') matches `select`, by default of
 * all: in training their running statistics normalise and are not updated. `frozen` false undoes it. Returns how many layers
 * there were. Throws ConfigError where an argument is none of these.
 */
export function freezeStatistics(net: Block, select: RegExp = /(?:)/, frozen = true): number {
  if (!(net instanceof Block))
    throw new ConfigError(`freezeStatistics() expected a Block, got ${typeof net}.`, { argument: 'net' });
  if (!(select instanceof RegExp))
    throw new ConfigError(`freezeStatistics() expected a regular expression, got ${typeof select}.`, {
      argument: 'select',
    });
  checkBoolean('freezeStatistics()', 'frozen', frozen);
  let count = 0;
  for (const [name, block] of net.descendants()) {
    if (!(block instanceof BatchNorm) || name.search(select) < 0) continue;
    block.useGlobalStats = frozen;
    count += 1;
  }
  return count;
}
