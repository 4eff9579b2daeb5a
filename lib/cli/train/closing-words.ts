// What a person is told at the end of a run: its best epoch, each class, where the files are.
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { bestEpoch, plural } from '../../report/run-facts.js';
import { classTable } from '../class-table.js';
import { count, duration, percent } from '../format.js';
import type { RunFolder } from '../run-folder.js';
import type { RunRecord } from '../run-record.js';
import { columnsOf, wrapped } from '../terminal.js';

const classesShown = 20;

export function closingWords(run: RunRecord, folder: RunFolder): string {
  return [
    ...(run.stopped === null ? [] : [`Stopped early: ${run.stopped}.`]),
    ...validationWords(run),
    ...brokenWords(run),
    wrapped(
      `${duration(run.seconds)} in all. Wrote ${folder.path}: ${written(folder).join(', ')}`,
      columnsOf(process.stderr),
      '  ',
    ),
  ].join('\n');
}

function validationWords(run: RunRecord): string[] {
  const best = bestEpoch(run);
  if (!best) return run.testImages > 0 && run.epochs.length > 0 ? ['No epoch is best: no validation was finite.'] : [];
  const { epoch, validation: metrics } = best;
  const top5 = metrics.classes.length > 5 ? `, top-5 ${percent(metrics.top5)}` : '';
  return [
    '',
    classTable(metrics, run.net.classNames, { most: classesShown, width: columnsOf(process.stderr) }),
    '',
    `Best epoch: ${epoch} of ${run.epochs.length}, top-1 ${percent(metrics.top1)}${top5} of ${count(metrics.images)} images.`,
  ];
}

function brokenWords({ brokenImages = [] }: RunRecord): string[] {
  if (brokenImages.length === 0) return [];
  return [`Left out: ${plural(brokenImages.length, 'image')} that could not be decoded; report.html lists them.`];
}

/** Names of the files that there are. */
function written({ path: _, ...files }: RunFolder): string[] {
  return Object.values(files)
    .filter((file) => existsSync(file))
    .map((file) => basename(file));
}
