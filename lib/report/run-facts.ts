// What several parts of a report ask of a run's record.
import { basename } from 'node:path';
import type { RunRecord } from '../cli/run-record.js';
import { isFigure } from '../train/confusion.js';
import type { ClassificationMetrics, FitEpoch } from '../train/index.js';

export type ValidatedEpoch = FitEpoch & { validation: ClassificationMetrics };

/** The epoch with the highest validation accuracy, the first of equal ones; undefined where no validation gave figures. */
export function bestEpoch({ epochs }: Pick<RunRecord, 'epochs'>): ValidatedEpoch | undefined {
  return epochs
    .filter((epoch): epoch is ValidatedEpoch => epoch.validation !== null && isFigure(epoch.validation))
    .reduce<ValidatedEpoch | undefined>(
      (best, epoch) => (best && best.validation.top1 >= epoch.validation.top1 ? best : epoch),
      undefined,
    );
}

/** What a run was trained on, as a heading has it: of a folder its own name. */
export const dataTitle = ({ data, config }: RunRecord): string =>
  config.data.name.startsWith('folder:') ? basename(data) : data;

/** Whether the five likeliest classes are not all of them, so that top-5 accuracy tells something. */
export const hasTop5 = ({ net }: Pick<RunRecord, 'net'>): boolean => net.classes > 5;

/** A class's name, or its number where it has none. */
export function className({ net }: Pick<RunRecord, 'net'>, index: number): string {
  return net.classNames[index] ?? `class ${index}`;
}

/** A loss with four decimals. It is null in a file where it was not finite. */
export function lossText(loss: number | null): string {
  return loss !== null && Number.isFinite(loss) ? loss.toFixed(4) : 'not finite';
}

/** Not in powers of ten unless very small: 0.0125, 1.25e-7. */
export function significant(value: number, digits: number): string {
  if (value === 0) return '0';
  return Math.abs(value) < 1e-4 ? value.toExponential(digits - 1) : String(Number(value.toPrecision(digits)));
}

/** 1 image, 2 images */
export function plural(n: number, what: string): string {
  return `${n.toLocaleString('en-US')} ${n === 1 ? what : `${what}s`}`;
}
