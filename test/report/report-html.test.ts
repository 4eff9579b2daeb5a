// report.html in a browser: each part is there with the run's values, nothing is asked for, nothing hostile runs.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'puppeteer-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { RunRecord } from '../../lib/cli/run-record.js';
import { type Mistake, writeReport } from '../../lib/report/index.js';
import { describeInChromium, type OpenPage } from '../helpers/chromium.js';
import { temporaryFolder } from '../interop/temporary-folder.js';
import { sampleMetrics, sampleMistake, sampleRecord, stepsOfEpoch, writeRun } from './sample-run.js';

const folder = temporaryFolder();
let runs = 0;

/** The address of the report of a run in a folder of its own. */
async function reportOf(record: RunRecord, metrics: string[], mistakes: Mistake[] = []): Promise<string> {
  const run = writeRun(join(folder, `run${runs++}`), record, metrics);
  return pathToFileURL(await writeReport(run, { record, mistakes })).href;
}

const texts = (page: Page, selector: string): Promise<string[]> =>
  page.$$eval(selector, (elements) => elements.map((element) => element.textContent ?? ''));

const count = (page: Page, selector: string): Promise<number> => page.$$eval(selector, (found) => found.length);

/** The values of a chart's line, read off its picture with the labels of the axes as ruler. */
async function readOff(page: Page, chart: string, line: string): Promise<{ x: number; y: number }[]> {
  const ruler = async (labels: string, side: 'left' | 'top') =>
    page.$$eval(
      `#${chart} .${labels} span`,
      (spans, name) =>
        spans.map((span) => [
          Number.parseFloat(span.style[name]),
          Number.parseFloat(span.textContent.replace(',', '')),
        ]),
      side,
    );
  const [xs, ys] = [await ruler('x-labels', 'left'), await ruler('y-labels', 'top')];
  const scale = (marks: number[][], place: number): number => {
    const [[from, least], [to, most]] = [marks[0] as [number, number], marks.at(-1) as [number, number]];
    return least + ((place - from) / (to - from)) * (most - least);
  };
  const d = await page.$eval(`#${chart} [data-line="${line}"] .stroke`, (path) => path.getAttribute('d') ?? '');
  return [...d.matchAll(/[ML]([\d.-]+),([\d.-]+)/g)].map(([, x, y]) => ({
    x: scale(xs, Number(x)),
    y: scale(ys, Number(y)),
  }));
}

function expectNear(found: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(found.length).toBe(expected.length);
  for (const [i, value] of found.entries()) expect(Math.abs(value - expected[i]!)).toBeLessThan(tolerance);
}

describeInChromium('the report of a run', (open) => {
  const record = { ...sampleRecord(), fineTuning: { freeze: '^layer1' } };
  const best = record.epochs[7]!.validation!;
  let opened: OpenPage;
  let page: Page;
  beforeAll(async () => {
    const mistakes = [sampleMistake(1, 3, 5), sampleMistake(3, 4, 6), sampleMistake(3, 0, 9, 224)];
    opened = await open(await reportOf(record, sampleMetrics(8 * stepsOfEpoch), mistakes));
    page = opened.page;
  });

  test('says what was trained on what, how it ended and how well', async () => {
    expect(await texts(page, 'h1')).toEqual(['cifar-resnet20 on Fashion-MNIST']);
    expect(await texts(page, '#result')).toEqual([
      '8 epochs done in 8 min 12 s on cpu, float32. Started 2026-03-01 09:05 UTC.',
    ]);
    const numbers = Object.fromEntries(
      await page.$$eval('#numbers > div', (tiles) => tiles.map((tile) => [...tile.children].map((c) => c.textContent))),
    );
    expect(numbers).toMatchObject({
      'best accuracy': '90.10%',
      'top 5': '95.05%',
      'training loss': '0.2250',
      images: '60,000',
      speed: '1,024/s',
      parameters: '269,722',
      'peak memory': '812.0 MiB',
    });
  });

  test('tells of a run that has not ended, or was killed', async () => {
    const unfinished = sampleRecord({ epochs: 3 });
    const config = { ...unfinished.config, epochs: 8 };
    const address = await reportOf({ ...unfinished, config }, sampleMetrics(3 * stepsOfEpoch));
    expect(readFileSync(new URL(address), 'utf8')).toContain('3 epochs of 8 done so far in ');
  });

  test('curves by epoch, of training and validation, at their places', async () => {
    const accuracy = await readOff(page, 'accuracy-chart', 'validation');
    expectNear(
      accuracy.map(({ x }) => x),
      record.epochs.map(({ epoch }) => epoch),
      0.01,
    );
    expectNear(
      accuracy.map(({ y }) => y),
      record.epochs.map(({ validation }) => 100 * validation!.top1),
      0.05,
    );
    expectNear(
      (await readOff(page, 'loss-chart', 'training')).map(({ y }) => y),
      record.epochs.map(({ loss }) => loss),
      1e-3,
    );
    expect(await page.$eval('#loss-chart .marks', (path) => path.getAttribute('d')!.split('h0').length - 1)).toBe(8);
    expect(await texts(page, '#loss-chart .legend li')).toEqual(['validation', 'training']);
  });

  test('loss and learning rate by step, thinned, and speed', async () => {
    const losses = await readOff(page, 'step-loss-chart', 'training');
    expect(losses.length).toBe((8 * stepsOfEpoch) / 4); // groups of 4: at most 1000
    const lines = sampleMetrics(8).map((line) => JSON.parse(line).stepLoss as number);
    const means = [lines.slice(0, 4), lines.slice(4)].map((four) => four.reduce((sum, loss) => sum + loss, 0) / 4);
    expectNear(
      losses.slice(0, 2).map(({ y }) => y),
      means,
      0.01,
    );
    expect(await count(page, '#step-loss-chart .band')).toBe(1);
    const rates = (await readOff(page, 'rate-chart', 'learning rate')).map(({ y }) => y);
    expect(rates[0]).toBeLessThan(0.002);
    expect(Math.max(...rates)).toBeGreaterThan(0.09);
    expect(rates.at(-1)).toBeLessThan(0.001);
    expectNear(
      (await readOff(page, 'speed-chart', 'images/s')).map(({ y }) => y),
      new Array(8).fill(1024),
      5,
    );
  });

  test('the values under the pointer', async () => {
    const area = await page.$('#accuracy-chart .area');
    await area!.scrollIntoView();
    const box = (await area!.boundingBox())!;
    await page.mouse.move(box.x + (box.width * 3) / 7 + 4, box.y + 30); // epoch 4 of 8
    expect(await texts(page, '#accuracy-chart .tip')).toEqual(['epoch 4validation 87.1%training 89%']);
    expect(await count(page, '#accuracy-chart .dot')).toBe(2);
    await page.mouse.move(box.x + 20, box.y - 60);
    expect(await count(page, '#accuracy-chart .dot')).toBe(0);
  });

  test('the confusion matrix, and the pairs that are confused most', async () => {
    const rows = await page.$$eval('#matrix tbody tr', (trs) =>
      trs.map((tr) => [...tr.querySelectorAll('td')].map((td) => Number(td.textContent))),
    );
    expect(rows).toEqual(best.confusion);
    expect(await texts(page, '#matrix thead th')).toEqual(record.net.classNames);
    expect(await texts(page, '#matrix tbody th')).toEqual(record.net.classNames);
    const pairs = await texts(page, '#pairs li');
    const largest = Math.max(...best.confusion.flatMap((row, i) => row.filter((_, j) => i !== j)));
    expect(pairs.length).toBe(12);
    expect(pairs[0]).toMatch(new RegExp(`^\\S+ taken for .*\\D${largest} ${largest}\\.0%$`));
  });

  test('the worst mistakes, pixel by pixel', async () => {
    const tiles = await page.$$eval('#mistakes figure', (figures) =>
      figures.map((figure) => {
        const img = figure.querySelector('img')!;
        const canvas = img.ownerDocument.createElement('canvas');
        canvas.width = img.naturalWidth;
        canvas.height = img.naturalHeight;
        const context = canvas.getContext('2d')!;
        context.drawImage(img, 0, 0);
        const at = (x: number, y: number) => [...context.getImageData(x, y, 1, 1).data].slice(0, 3);
        return {
          size: [img.naturalWidth, img.naturalHeight],
          corner: at(1, 2),
          middle: at(img.naturalWidth - 1, 2),
          words: figure.textContent.trim(),
        };
      }),
    );
    expect(tiles).toEqual([
      { size: [28, 28], corner: [255, 255, 255], middle: [0, 0, 0], words: 'sandal 98.7%is dress' },
      { size: [28, 28], corner: [255, 155, 55], middle: [0, 0, 0], words: 'shirt 98.7%is coat' },
      { size: [224, 224], corner: [255, 155, 55], middle: [0, 0, 0], words: 'ankle boot 98.7%is t-shirt' },
    ]);
  });

  test('the table of classes, sorted by any column', async () => {
    const recalls = () => texts(page, '#class-table tbody td:nth-child(3)');
    const expected = best.classes.map(({ recall }) => `${(100 * recall!).toFixed(1)}%`);
    expect(await recalls()).toEqual(expected);
    const heading = (await page.$$('#class-table button'))[2]!;
    await heading.click();
    const rising = best.classes.map(({ recall }) => recall!).sort((a, b) => a - b);
    expect(await recalls()).toEqual(rising.map((recall) => `${(100 * recall).toFixed(1)}%`));
    await heading.click();
    expect((await recalls())[0]).toBe(`${(100 * rising.at(-1)!).toFixed(1)}%`);
    await (await page.$('#class-table button'))!.click();
    expect(await texts(page, '#class-table tbody th')).toEqual(record.net.classNames);
  });

  test('the epochs, the environment and the config', async () => {
    expect(await count(page, '#epochs tbody tr')).toBe(8);
    const first = await page.$$eval('#epochs tbody tr:first-child > *', (cells) => cells.map((c) => c.textContent));
    expect(first).toEqual(['1', '0.7500', '74.00%', '0.4800', '72.10%', '86.05%', '0.1', '1,024', '1 min 02 s']);
    const facts = (await texts(page, '#environment > div')).join('\n');
    for (const fact of ['AMD EPYC 9R14', 'oneDNN 2.6.3', '20.20.2', '812.0 MiB', 'input 1x28x28', '^layer1'])
      expect(facts).toContain(fact);
    expect(await page.$eval('#config', (pre) => pre.checkVisibility())).toBe(false);
    await (await page.$('#details summary'))!.click();
    expect(await page.$eval('#config', (pre) => pre.checkVisibility())).toBe(true);
    expect(parse((await texts(page, '#config'))[0]!)).toEqual(record.config);
  });

  test('without a problem, and without a request but for itself', () => {
    expect(opened.problems).toEqual([]);
    expect(opened.requests).toEqual([page.url()]);
  });
});

describeInChromium('the report of an unusual run', (open) => {
  const body = (page: Page): Promise<string> => page.$eval('body', (element) => element.innerText);

  async function expectGood({ page, problems, requests }: OpenPage): Promise<void> {
    expect(problems).toEqual([]);
    expect(requests).toEqual([page.url()]);
    expect(await body(page)).not.toMatch(/undefined|Infinity|\[object|null/);
  }

  test('nested classes of a folder: names break after slashes, five classes have no top 5, facts have names', async () => {
    const classNames = ['animals/domestic/cat', 'animals/domestic/dog', 'cup', 'hat', 'vehicles/fire-engine'];
    const record = sampleRecord({ classNames });
    record.data = '/home/someone/pictures of things';
    record.config.data.name = `folder:${record.data}`;
    record.environment.backend = {
      instructionSet: 'AVX2',
      openMP: 'libgomp.so.1',
      memoryTotal: '9 GiB',
      planCache: '0',
    };
    record.brokenImages = [{ file: '/home/someone/pictures of things/cup/1.jpg', reason: 'it is <empty>' }];
    const opened = await open(
      await reportOf(record, sampleMetrics(8), [{ ...sampleMistake(3, 0, 4), file: '/a/b c/7.png' }]),
      {
        viewport: { width: 400, height: 800 },
      },
    );
    const { page } = opened;
    await expectGood(opened);
    expect(await texts(page, 'h1')).toEqual(['cifar-resnet20 on pictures of things']);
    expect(await page.$eval('h1 .data', (element) => element.getAttribute('title'))).toBe(record.data);
    for (const places of ['#mistakes .actual', '#class-table tbody th', '#pairs'])
      expect(await page.$eval(places, (element) => element.innerHTML)).toContain('animals/<wbr>domestic/<wbr>');
    expect(await texts(page, '#broken li')).toEqual(['/home/someone/pictures of things/cup/1.jpgit is <empty>']);
    expect(await texts(page, '#mistakes .file')).toEqual(['7.png']);
    expect(await page.$eval('#mistakes .file', (element) => element.getAttribute('title'))).toBe('/a/b c/7.png');
    expect(await texts(page, '#epochs th')).not.toContain('top 5');
    expect(await texts(page, '#numbers dt')).not.toContain('top 5');
    const facts = await texts(page, '#environment dt');
    expect(facts).toEqual(expect.arrayContaining(['instruction set', 'OpenMP']));
    expect(facts).not.toEqual(expect.arrayContaining(['planCache']));
    expect(facts.filter((name) => /memory/i.test(name))).toEqual(['memory']); // once
  });

  test('on a narrow screen the first column stays while a table is scrolled', async () => {
    const { page } = await open(await reportOf(sampleRecord(), []), { viewport: { width: 400, height: 800 } });
    const left = () => page.$eval('#epochs tbody th', (cell) => cell.getBoundingClientRect().left);
    const before = await left();
    const scrolled = await page.$eval('.scroll:has(#epochs)', (box) => {
      box.scrollLeft = 200;
      return box.scrollLeft;
    });
    expect(scrolled).toBeGreaterThan(100);
    expect(await left()).toBe(before);
  });

  test('hostile names are text', async () => {
    const hostile = '<img src=x onerror="window.hacked=1">';
    const record = sampleRecord({ classNames: [hostile, '</script><script>window.hacked=1</script>', '"\'>&amp;'] });
    record.model = hostile;
    record.data = '</title><b>';
    record.stopped = hostile;
    record.environment.backend[hostile] = hostile;
    record.config.weights = '</pre><script>window.hacked=1</script>';
    const problem = {
      event: 'numericProblem',
      epoch: 1,
      batch: 7,
      step: 1,
      loss: 'NaN',
      layer: hostile,
      action: 'skip',
    };
    const metrics = [...sampleMetrics(5), JSON.stringify(problem)];
    const opened = await open(await reportOf(record, metrics, [sampleMistake(1, 0, 1)]));
    const { page } = opened;
    await expectGood(opened);
    expect(await count(page, 'img')).toBe(1);
    expect(await count(page, 'script')).toBe(1);
    expect(await page.evaluate('window.hacked')).toBeUndefined();
    expect(await texts(page, '#matrix tbody th')).toEqual(record.net.classNames);
    expect(await texts(page, 'h1')).toEqual([`${hostile} on </title><b>`]);
    expect(await texts(page, '#problems')).toEqual([
      expect.stringContaining(`Batch 7 of epoch 1: the loss was NaN, first seen in ${hostile}`),
    ]);
    expect(parse((await texts(page, '#config'))[0]!)).toEqual(record.config);
  });

  test('its policy runs no other script and lets nothing in', async () => {
    let asked = 0;
    const server = createServer((_, response) => {
      asked += 1;
      response.end();
    });
    const address = await new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}/x.png`));
    });
    const { page, problems } = await open(await reportOf(sampleRecord(), []));
    await page.evaluate(`
      document.body.insertAdjacentHTML('beforeend', '<img src="${address}" onerror="window.hacked = 1">');
      const script = document.createElement('script');
      script.textContent = 'window.hacked = 1';
      document.body.append(script);
      fetch('${address}').catch(() => {});`);
    const blocked = () => problems.filter((problem) => problem.endsWith('The action has been blocked.')).length;
    await expect.poll(blocked).toBe(4);
    server.close();
    expect({ asked, hacked: await page.evaluate('window.hacked') }).toEqual({ asked: 0, hacked: undefined });
  });

  test('one epoch without validation', async () => {
    const opened = await open(await reportOf(sampleRecord({ epochs: 1, validated: false }), sampleMetrics(40)));
    const { page } = opened;
    await expectGood(opened);
    expect(await body(page)).toContain('There was no validation');
    expect(await body(page)).toMatch(/training accuracy\s+74\.00%/);
    for (const id of ['confusion', 'classes', 'mistakes']) expect(await count(page, `#${id}`)).toBe(0);
    expect(await count(page, '#loss-chart .line')).toBe(1);
    const { y } = (await readOff(page, 'step-loss-chart', 'training'))[0]!;
    expect(y).toBeCloseTo(JSON.parse(sampleMetrics(1)[0]!).stepLoss, 1);
  });

  test('1000 classes', async () => {
    const classNames = Array.from({ length: 1000 }, (_, i) => `class ${i}`);
    const opened = await open(await reportOf(sampleRecord({ classNames, epochs: 1 }), []));
    const { page } = opened;
    await expectGood(opened);
    expect(await count(page, '#matrix')).toBe(0);
    expect(await body(page)).toContain('The matrix of 1000 classes is too large to draw');
    expect(await count(page, '#pairs li')).toBe(12);
    expect(await count(page, '#class-table tbody tr')).toBe(1000);
  });

  test('60 classes: a heat map without numbers', async () => {
    const classNames = Array.from({ length: 60 }, (_, i) => `class ${i}`);
    const record = sampleRecord({ classNames });
    const { page } = await open(await reportOf(record, []));
    const pairs = record.epochs[7]!.validation!.confusion.flat().filter((images) => images > 0).length;
    expect(await count(page, '#matrix rect:not(.paper)')).toBe(pairs);
    const fills = await page.$$eval('#matrix rect', (rects) => [
      ...new Set(rects.map((r) => r.ownerDocument.defaultView!.getComputedStyle(r).fill)),
    ]);
    expect(fills.length).toBeGreaterThan(4);
  });

  test('interrupted before the end of its first epoch', async () => {
    const record = { ...sampleRecord({ epochs: 0 }), interrupted: true };
    record.config.epochs = 5;
    const opened = await open(await reportOf(record, []));
    await expectGood(opened);
    expect(await body(opened.page)).toMatch(/Interrupted after 0 epochs of 5/);
    expect(await body(opened.page)).toContain('No epoch was completed.');
    expect(await count(opened.page, '.plot')).toBe(0);
  });

  test('losses that are NaN leave a gap', async () => {
    const record = sampleRecord({ epochs: 5 });
    record.epochs[2]!.loss = Number.NaN;
    record.skippedSteps = 3;
    const metrics = sampleMetrics(30).map((line, i) =>
      i === 9 ? line.replace(/"stepLoss":[^,]*/, '"stepLoss":null') : line,
    );
    metrics.push('{"event":"step","step":31,"sto'); // the process was killed here
    const opened = await open(await reportOf(record, metrics));
    const { page } = opened;
    await expectGood(opened);
    expect((await readOff(page, 'loss-chart', 'training')).map(({ x }) => Math.round(x))).toEqual([1, 2, 4, 5]);
    const d = await page.$eval('#loss-chart [data-line="training"] .stroke', (path) => path.getAttribute('d')!);
    expect(d.match(/M/g)).toHaveLength(2);
    expect((await readOff(page, 'step-loss-chart', 'training')).length).toBe(29);
    expect(await body(page)).toContain('not finite');
    expect(await body(page)).toContain('3 steps left out: gradients overflowed float16.');
    expect(await body(page)).not.toContain('NaN');
  });

  test('every loss NaN: a sentence in place of the curve', async () => {
    const record = sampleRecord({ epochs: 2, validated: false });
    for (const epoch of record.epochs) epoch.loss = Number.NaN;
    const opened = await open(await reportOf(record, []));
    await expectGood(opened);
    expect(await count(opened.page, '#broken, .file')).toBe(0);
    expect(await texts(opened.page, '#loss-chart .empty')).toEqual(['There is no finite value to draw.']);
  });
});

describeInChromium('the page of a report', (open) => {
  let url: string;
  beforeAll(async () => {
    const mistakes = Array.from({ length: 24 }, (_, i) => sampleMistake(1, i % 10, (i + 1) % 10));
    const classNames = Array.from({ length: 15 }, (_, i) => `a class with quite a long name ${i}`);
    url = await reportOf(sampleRecord({ classNames }), sampleMetrics(1000), mistakes);
  });

  const overflow = (page: Page) => page.evaluate('document.documentElement.scrollWidth - innerWidth');

  describe.each([400, 800, 1400])('%i pixels wide', (width) => {
    test('fits, with text of a readable size', async () => {
      const { page } = await open(url, { viewport: { width, height: 900 } });
      expect(await overflow(page)).toBe(0);
      const sizes = await page.$$eval('.plot span, td, li, p, dd', (elements) =>
        elements.map((element) =>
          Number.parseFloat(element.ownerDocument.defaultView!.getComputedStyle(element).fontSize),
        ),
      );
      expect(Math.min(...sizes)).toBeGreaterThanOrEqual(12);
      const plot = await (await page.$('#loss-chart .area'))!.boundingBox();
      expect(plot!.width).toBeGreaterThan(250);
    });
  });

  test('is dark where that is preferred', async () => {
    const colours = async (theme: 'light' | 'dark') => {
      const { page } = await open(url, { theme });
      return page.$eval('body', (element) => {
        const { color, backgroundColor } = element.ownerDocument.defaultView!.getComputedStyle(element);
        return [color, backgroundColor];
      });
    };
    expect(await colours('light')).toEqual(['rgb(31, 35, 40)', 'rgb(255, 255, 255)']);
    expect(await colours('dark')).toEqual(['rgb(230, 234, 238)', 'rgb(16, 20, 24)']);
  });

  test('prints on white paper with nothing cut off', async () => {
    const { page } = await open(url, { theme: 'dark', viewport: { width: 718, height: 1000 } }); // A4 less margins
    await page.emulateMediaType('print');
    expect(
      await page.$eval(
        'body',
        (element) => element.ownerDocument.defaultView!.getComputedStyle(element).backgroundColor,
      ),
    ).toBe('rgb(255, 255, 255)');
    expect(await overflow(page)).toBe(0);
    const scrolled = await page.$$eval('.scroll', (boxes) => boxes.map((box) => box.scrollHeight - box.clientHeight));
    expect(scrolled.every((hidden) => hidden <= 0)).toBe(true);
  });
});
