// The head of a report: what was trained on what, how it ended, and the numbers that matter most.
import { bytes, count, duration, percent } from '../cli/format.js';
import type { RunRecord } from '../cli/run-record.js';
import { isFigure } from '../train/confusion.js';
import { type Html, html } from './html.js';
import { bestEpoch, dataTitle, hasTop5, lossText, plural } from './run-facts.js';

export function headerSection(record: RunRecord, imagesPerSecond: number | null): Html {
  return html`<header>
<h1><span class="model">${record.model}</span> on <span class="data" title="${record.data}">${dataTitle(record)}</span></h1>
<p class="result" id="result">${resultText(record)}</p>
<dl class="numbers" id="numbers">${numbers(record, imagesPerSecond).map(
    ([name, value, detail]) =>
      html`<div><dt>${name}</dt><dd>${value}</dd>${detail ? html`<dd class="detail">${detail}</dd>` : null}</div>`,
  )}</dl>
</header>`;
}

function resultText(record: RunRecord): string {
  const { epochs, config, interrupted, stopped, started, environment, seconds } = record;
  const done = epochs.length;
  const how = interrupted
    ? `Interrupted after ${plural(done, 'epoch')} of ${config.epochs}`
    : stopped !== null
      ? `Ended after ${plural(done, 'epoch')} of ${config.epochs} (${stopped})`
      : done < config.epochs
        ? `${plural(done, 'epoch')} of ${config.epochs} done so far`
        : `${plural(done, 'epoch')} done`;
  const when = new Date(started).toISOString().slice(0, 16).replace('T', ' ');
  return `${how} in ${duration(seconds)} on ${environment.device}, ${config.precision}. Started ${when} UTC.`;
}

type NumberTile = readonly [name: string, value: string, detail: string];

function numbers(record: RunRecord, imagesPerSecond: number | null): NumberTile[] {
  const { epochs, parameters, trainImages, testImages, peakMemory, config } = record;
  const last = epochs.at(-1);
  const best = bestEpoch(record);
  return [
    ...(best ? accuracyTiles(record) : []),
    ...(last && !best
      ? [
          [
            'training accuracy',
            percent(last.trainAccuracy),
            testImages > 0 ? 'no finite validation' : 'no validation',
          ] as const,
        ]
      : []),
    ...(last ? [['training loss', lossText(last.loss), 'last epoch'] as const] : []),
    ['images', count(trainImages), testImages > 0 ? `and ${count(testImages)} for validation` : 'for training'],
    ['speed', imagesPerSecond === null ? 'unknown' : `${count(Math.round(imagesPerSecond))}/s`, 'training images'],
    ['parameters', parameters >= 1e6 ? `${(parameters / 1e6).toFixed(1)} M` : count(parameters), ''],
    ['peak memory', bytes(peakMemory), 'of the process'],
    [
      'batch',
      count(config.batchSize * config.accumulate),
      config.accumulate > 1 ? `${config.accumulate} batches a step` : '',
    ],
  ];
}

function accuracyTiles(record: RunRecord): NumberTile[] {
  const best = bestEpoch(record);
  const last = record.epochs.at(-1)?.validation;
  if (!best) return [];
  return [
    ['best accuracy', percent(best.validation.top1), `validation, epoch ${best.epoch}`],
    ...(last ? [['last accuracy', isFigure(last) ? percent(last.top1) : 'none', 'validation'] as const] : []),
    ...(hasTop5(record) ? [['top 5', percent(best.validation.top5), `epoch ${best.epoch}`] as const] : []),
    ['validation loss', lossText(best.validation.loss), `epoch ${best.epoch}`],
  ];
}
