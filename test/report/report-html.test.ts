// report.html in a browser: each part is there with the run's values, and nothing is asked for.
import { readFileSync } from 'node:fs';
import type { Page } from 'puppeteer-core';
import { beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { describeInChromium, type OpenPage } from '../helpers/chromium.js';
import { count, readOff, reportOf, texts } from './report-page.js';
import { sampleMetrics, sampleMistake, sampleRecord, stepsOfEpoch } from './sample-run.js';

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
