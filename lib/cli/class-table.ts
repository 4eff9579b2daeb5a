// A classifier's classes as a table: images, precision, recall.
import type { ClassificationMetrics } from '../train/index.js';
import { count, percent } from './format.js';
import { table } from './table.js';

export interface ClassTableOptions {
  /** Of more classes than this those with the lowest recall alone are shown. Default: all are. */
  most?: number;
  /** As of `table`. */
  width?: number;
}

/** A row for each class. */
export function classTable(
  { classes }: ClassificationMetrics,
  classNames: readonly string[],
  { most = classes.length, width }: ClassTableOptions = {},
): string {
  const share = (value: number | null): string => (value === null ? '-' : percent(value, 1));
  const named = classes.map((ofClass, i) => ({ name: classNames[i] ?? `class ${i}`, ...ofClass }));
  const isCut = named.length > most;
  const shown = isCut ? named.sort((a, b) => (a.recall ?? 1) - (b.recall ?? 1)).slice(0, most) : named;
  return table(
    [isCut ? `the ${most} hardest of ${classes.length} classes` : 'class', 'images', 'precision', 'recall'],
    shown.map(({ name, images, precision, recall }) => [name, count(images), share(precision), share(recall)]),
    width,
  );
}
