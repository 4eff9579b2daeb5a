// Runs beside each other: read from folders of every kind, their rows, their page in a browser, their picture.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { CheckpointError } from '../../lib/errors.js';
import { readRuns } from '../../lib/report/compared-run.js';
import { bestEpochOf, configDifferences, resultRows } from '../../lib/report/comparison.js';
import { comparisonHtml } from '../../lib/report/comparison-page.js';
import { comparisonSvg } from '../../lib/report/comparison-picture.js';
import { describeInChromium } from '../helpers/chromium.js';
import { temporaryFolder } from '../interop/temporary-folder.js';
import { earlierRecord, sampleMetrics, sampleRecord, stepsOfEpoch, writeRun } from './sample-run.js';

const folder = temporaryFolder();

const first = writeRun(join(folder, 'first'), sampleRecord(), sampleMetrics(8 * stepsOfEpoch));
const better = sampleRecord({ epochs: 12, better: 0.02 });
better.config.optimizer.learningRate = 0.4;
better.config.modelOptions = { version: 'v2' };
better.fineTuning = { freeze: '^layer1' };
const second = writeRun(join(folder, 'second'), better);
const earlier = writeRun(join(folder, 'earlier'), earlierRecord());

/** Of a run that was killed: no history yet. */
function killedRun(name = 'killed', { config, epochs } = sampleRecord({ epochs: 10 })): string {
  const killed = join(folder, name);
  mkdirSync(killed, { recursive: true });
  writeFileSync(join(killed, 'config.json'), JSON.stringify(config));
  const lines = epochs.slice(0, 3).map((epoch) => JSON.stringify({ event: 'epoch', ...epoch }));
  writeFileSync(
    join(killed, 'metrics.jsonl'),
    [...sampleMetrics(3 * stepsOfEpoch), ...lines, '{"event":"st'].join('\n'),
  );
  return killed;
}

const valuesOf = (rows: ReturnType<typeof resultRows>) => Object.fromEntries(rows);

describe('readRuns', () => {
  test('runs of today, of earlier versions, and one that was killed', async () => {
    const runs = await readRuns([first, second, earlier, killedRun()]);
    expect(valuesOf(resultRows(runs))).toEqual({
      model: ['cifar-resnet20', 'cifar-resnet20', "the chapter's ResNet-18", 'cifar-resnet20'],
      data: ['Fashion-MNIST', 'Fashion-MNIST', 'Fashion-MNIST', 'fashion-mnist'],
      epochs: ['8', '12', '2 of 3 (unfinished)', '3 of 10 (unfinished)'],
      'best accuracy': ['90.10%', '92.10%', '87.50%', '85.10%'],
      'of epoch': ['8', '8', '1', '3'],
      'last accuracy': ['90.10%', '92.10%', '85.00%', '85.10%'],
      'top 5': ['95.05%', '96.05%', '-', '92.55%'],
      'training loss': ['0.2250', '0.2000', '0.4000', '0.3500'],
      time: ['8 min 12 s', '12 min 18 s', '1 min 26 s', '-'],
      'images/s': ['1,024', '-', '2,000', '1,024'],
      parameters: ['269,722', '269,722', '-', '-'],
    });
  });

  test('the best epoch is the first of equal ones', async () => {
    const record = sampleRecord({ epochs: 3 });
    for (const epoch of record.epochs) epoch.validation!.top1 = 0.8;
    const [run] = await readRuns([writeRun(join(folder, 'equal'), record)]);
    expect(bestEpochOf(run!)?.epoch).toBe(1);
  });

  test('top-5 accuracy only of runs with more classes than that', async () => {
    const of = (name: string, count: number) => {
      const record = sampleRecord({ classNames: Array.from({ length: count }, (_, i) => `class ${i}`), epochs: 2 });
      if (count <= 5) for (const { validation } of record.epochs) validation!.top5 = 1;
      return { record, folder: writeRun(join(folder, name), record) };
    };
    const [five, six] = [of('five', 5), of('six', 6)];
    const rowsOf = async (...folders: string[]) => valuesOf(resultRows(await readRuns(folders)));
    expect(await rowsOf(five.folder, six.folder)).toMatchObject({ 'top 5': ['-', '91.25%'] });
    expect(await rowsOf(five.folder)).not.toHaveProperty('top 5');
    // Killed: the lines of its epochs are without classes.
    const killed = killedRun('killed-five', five.record);
    expect(await rowsOf(five.folder, killed)).not.toHaveProperty('top 5');
    expect(await rowsOf(killed, six.folder)).toMatchObject({ 'top 5': ['-', '91.25%'] });
  });

  test('no validation, and losses that were not finite', async () => {
    const record = sampleRecord({ epochs: 2, validated: false });
    record.epochs[1]!.loss = Number.NaN;
    const [run] = await readRuns([writeRun(join(folder, 'bare'), record)]);
    expect(valuesOf(resultRows([run!]))).toMatchObject({ 'best accuracy': ['-'], 'training loss': ['-'] });
  });

  test('folders of one name are told apart by their paths', async () => {
    const twin = writeRun(join(folder, 'other', 'first'), sampleRecord());
    const runs = await readRuns([first, twin, `${second}/`]);
    expect(runs.map(({ name }) => name)).toEqual([first, twin, 'second']);
  });

  test.each([
    ['an empty folder', 'empty', {}, /found neither history\.json nor config\.json/],
    ['a history that is no JSON', 'cut', { 'history.json': '{"model":' }, /history\.json: expected JSON/],
    [
      "another program's history",
      'foreign',
      { 'history.json': '[1, 2]' },
      /expected the record of a run with its 'epochs', found \[1,2\]/,
    ],
    [
      "another program's config",
      'foreign2',
      { 'config.json': '{"a":1}' },
      /expected the config of a run with 'model' and 'data'/,
    ],
  ])('%s is refused', async (_, name, files, message) => {
    mkdirSync(join(folder, name));
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, name, file), text);
    const read = readRuns([first, join(folder, name)]);
    await expect(read).rejects.toThrow(CheckpointError);
    await expect(read).rejects.toThrow(message);
    await expect(read).rejects.toThrow(join(folder, name));
  });
});

describe('configDifferences', () => {
  test('the keys whose values differ, those that one run alone has too', async () => {
    const runs = await readRuns([first, second]);
    expect(Object.fromEntries(configDifferences(runs))).toEqual({
      'modelOptions.version': [undefined, 'v2'],
      'fineTuning.freeze': [undefined, '^layer1'],
      epochs: [8, 12],
      'optimizer.learningRate': [0.1, 0.4],
    });
    expect(configDifferences([runs[0]!, runs[0]!]).size).toBe(0);
  });

  test('of an earlier version, the keys that it has', async () => {
    const runs = await readRuns([first, earlier]);
    expect(Object.fromEntries(configDifferences(runs))).toEqual({
      epochs: [8, 3],
      batchSize: [128, 256],
      'optimizer.learningRate': [0.1, 0.05],
    });
  });
});

describeInChromium('the page of a comparison', (open) => {
  test('has rows, curves of all runs and configs; asks for nothing; hostile names are text', async () => {
    const hostile = '<img src=x onerror=alert(1)>';
    const third = sampleRecord({ epochs: 4 });
    third.model = hostile;
    third.config.weights = hostile;
    const runs = await readRuns([first, second, writeRun(join(folder, hostile), third)]);
    const file = join(folder, 'compare.html');
    writeFileSync(file, comparisonHtml(runs));
    const { page, problems, requests } = await open(pathToFileURL(file).href);
    expect({ problems, requests }).toEqual({ problems: [], requests: [page.url()] });
    const cells = (selector: string) =>
      page.$$eval(`${selector} tr`, (rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent)));
    const results = await cells('#results');
    expect(results[0]).toEqual(['', 'first', 'second', hostile]);
    expect(results).toContainEqual(['best accuracy', '90.10%', '92.10%', '87.10%']);
    expect(await cells('#config')).toContainEqual(['optimizer.learningRate', '0.1', '0.4', '0.1']);
    expect(await page.$$eval('img', (images) => images.length)).toBe(0);
    for (const id of ['accuracy-chart', 'loss-chart', 'validation-loss-chart', 'training-accuracy-chart']) {
      const lines = await page.$$eval(`#${id} .line`, (groups) =>
        groups.map((group) => [
          group.getAttribute('data-line')!.replace(' (same as first)', ''),
          group.querySelector('.marks')!.getAttribute('d')!.split('h0').length - 1,
        ]),
      );
      expect(lines).toEqual([
        ['first', 8],
        ['second', 12],
        [hostile, 4],
      ]);
    }
  });

  test('fits into 400 pixels, with ten runs', async () => {
    const folders = Array.from({ length: 10 }, (_, i) => writeRun(join(folder, `run-number-${i}`), sampleRecord()));
    const file = join(folder, 'many.html');
    writeFileSync(file, comparisonHtml(await readRuns(folders)));
    const { page } = await open(pathToFileURL(file).href, { viewport: { width: 400, height: 800 } });
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0);
    expect(await page.$$eval('#accuracy-chart .line .dashed', (lines) => lines.length)).toBe(2);
    expect(await page.$eval('#config .empty', (p) => p.textContent)).toBe('The configs are the same.');
  });
});

test('the picture has a line of each run in both charts', async () => {
  const bare = writeRun(join(folder, 'none'), sampleRecord({ epochs: 2, validated: false }));
  const svg = await comparisonSvg(await readRuns([first, earlier, bare]));
  expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"')).toBe(true);
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  for (const name of ['first', 'earlier', 'none'])
    expect(svg.match(new RegExp(`>${name}( \\(same as first\\))?</text>`, 'g'))).toHaveLength(2);
  const lines = [...svg.matchAll(/<path d="M([^"]*)" stroke="(#[0-9a-f]{6})" stroke-width="2\.5"/g)];
  expect(lines.map(([, points, colour]) => [colour, points?.split('L').length])).toEqual([
    ['#0072b2', 8],
    ['#c75200', 2],
    ['#0072b2', 8],
    ['#c75200', 2],
    ['#009e73', 2],
  ]);
});

test('a run whose lines cover those of another says so, in picture and page', async () => {
  const runs = await readRuns([first, writeRun(join(folder, 'again'), sampleRecord({ epochs: 5 })), second]);
  const lines = { 'again (same as first)': 2, first: 2, second: 1, 'second (same as first)': 1 }; // accuracies differ, losses do not
  const svg = await comparisonSvg(runs);
  for (const [name, count] of Object.entries(lines)) expect(svg.split(`>${name}</text>`), name).toHaveLength(count + 1);
  expect(comparisonHtml(runs)).toContain('</svg>again (same as first)</li>');
});
