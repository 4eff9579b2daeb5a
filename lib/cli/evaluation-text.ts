// What `residua eval` prints.
import type { ClassificationMetrics } from '../train/index.js';
import { classTable } from './class-table.js';
import { count, percent } from './format.js';

const confusionsShown = 10;

/** For people: loss, accuracies, a row a class, and which classes are taken for which. */
export function evaluationText(metrics: ClassificationMetrics, classNames: readonly string[]): string {
  const { loss, top1, top5, classes } = metrics;
  const mistakes = confusions(metrics, classNames);
  return [
    `loss ${loss.toFixed(4)}, acc ${top1.toFixed(4)}${classes.length > 5 ? `, top-5 ${top5.toFixed(4)}` : ''}`,
    '',
    classTable(metrics, classNames),
    ...(mistakes.length > 0 ? ['', 'Taken most often for another class:', ...mistakes] : []),
  ].join('\n');
}

function confusions({ confusion, classes }: ClassificationMetrics, classNames: readonly string[]): string[] {
  const nameOf = (i: number): string => classNames[i] ?? `class ${i}`;
  return confusion
    .flatMap((row, actual) => row.map((images, predicted) => ({ actual, predicted, images })))
    .filter(({ actual, predicted, images }) => actual !== predicted && images > 0)
    .sort((a, b) => b.images - a.images)
    .slice(0, confusionsShown)
    .map(({ actual, predicted, images }) => {
      const share = percent(images / (classes[actual]?.images ?? images), 1);
      return `  ${nameOf(actual)} for ${nameOf(predicted)}: ${count(images)} (${share} of ${nameOf(actual)})`;
    });
}

/** For programs: fractions from 0 to 1; `confusion` has the images by label (row) and prediction (column). */
export function evaluationJson(metrics: ClassificationMetrics, classNames: readonly string[]): object {
  const { images, loss, top1, top5, classes, confusion } = metrics;
  const perClass = classes.map((ofClass, i) => ({
    name: classNames[i] ?? `class ${i}`,
    ...ofClass,
    correct: confusion[i]?.[i] ?? 0,
  }));
  return { images, loss, accuracy: top1, top5, perClass, confusion };
}
