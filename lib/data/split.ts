// Splits a data set into two, class by class.
import { ConfigError } from '../errors.js';
import { checkInteger, checkNumber, checkOptions } from '../options.js';
import { rowsByClass } from './balanced-order.js';
import type { LoaderDataset } from './loader-options.js';
import { SampleRandom } from './sample-random.js';

export interface SplitOptions {
  /** Default 0: the same split whenever the data set is the same. */
  seed?: number;
}

/**
 * Two data sets without a common image: [rest, part]. `fraction`, from 0 to 1, is the part's share of each class, rounded; a class of at
 * least two images is in both. For a training and a validation set: `const [train, validation] = split(dataset, 0.1)`.
 * The images keep their order. Throws ConfigError.
 */
export function split<D extends LoaderDataset>(dataset: D, fraction: number, options: SplitOptions = {}): [D, D] {
  checkOptions('split()', options, ['seed']);
  checkNumber('split()', 'fraction', fraction, { min: 0, max: 1 });
  if (fraction === 0 || fraction === 1)
    throw new ConfigError(`split() expected fraction to be between 0 and 1, got ${fraction}.`, { fraction });
  const seed = checkInteger('split()', 'seed', options.seed ?? 0, 0);
  const random = new SampleRandom({ seed, stream: 0, epoch: 0, position: 0 });
  const inPart = new Uint8Array(dataset.length);
  const classes = [...rowsByClass(dataset.labels)].sort(([a], [b]) => a - b);
  for (const [, rows] of classes) {
    const most = Math.max(0, rows.length - 1);
    const count = Math.min(most, Math.max(1, Math.round(rows.length * fraction)));
    for (const row of random.shuffle(rows).slice(0, count)) inPart[row] = 1;
  }
  const rowsOf = (part: number): number[] => [...inPart.keys()].filter((row) => inPart[row] === part);
  return [dataset.subset(rowsOf(0)) as D, dataset.subset(rowsOf(1)) as D];
}
