// report.html of unusual runs: hostile names, many classes, one epoch, losses that are NaN.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'puppeteer-core';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { describeInChromium, type OpenPage } from '../helpers/chromium.js';
import { count, readOff, reportOf, texts } from './report-page.js';
import { sampleMetrics, sampleMistake, sampleRecord } from './sample-run.js';

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
    const [width, height, natural] = (await page.evaluate(`(() => {
      const map = document.querySelector('#matrix');
      const box = map.getBoundingClientRect();
      return [box.width, box.height, map.naturalWidth];
    })()`)) as [number, number, number];
    expect(natural).toBe(500); // it was decoded
    expect(width).toBeCloseTo(height, 0);
    expect(width).toBeGreaterThan(400);
    expect(await body(page)).toContain('A point stands for 2 by 2 classes');
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

  test.each([1000, 380])(
    '60 classes: names beside their rows and columns, apart from each other, %i wide',
    async (width) => {
      const classNames = Array.from({ length: 60 }, (_, i) => `class ${i} with a long name`);
      const opened = await open(await reportOf(sampleRecord({ classNames }), []), { viewport: { width, height: 800 } });
      const { page } = opened;
      await expectGood(opened);
      const labels = (await page.evaluate(`(() => {
      const map = document.querySelector('#matrix').getBoundingClientRect();
      const shown = (part) => [...document.querySelectorAll('.map .' + part + ' span')].filter((span) => span.offsetWidth > 0);
      return ['rows', 'columns'].flatMap((part) => {
        const isRow = part === 'rows';
        return [shown(part).map((span) => {
          const box = span.getBoundingClientRect();
          const [from, to] = isRow ? [box.top - map.top, box.bottom - map.top] : [box.left - map.left, box.right - map.left];
          return { number: Number(span.textContent.split(' ')[1]), at: (from + to) / 2 / map.width * 60, size: (to - from) / map.width * 60 };
        })];
      });
    })()`)) as { number: number; at: number; size: number }[][];
      for (const line of labels) {
        expect(line.length).toBeGreaterThan(8);
        line.forEach(({ number, at, size }, i) => {
          expect(at).toBeCloseTo(number + 0.5, 0);
          if (i > 0) expect(at - size).toBeGreaterThan((line[i - 1] as { at: number }).at - 0.5);
        });
      }
    },
  );

  test('interrupted before the end of its first epoch', async () => {
    const record = { ...sampleRecord({ epochs: 0 }), interrupted: true };
    record.config.epochs = 5;
    const opened = await open(await reportOf(record, []));
    await expectGood(opened);
    expect(await body(opened.page)).toMatch(/Interrupted after 0 epochs of 5/);
    expect(await body(opened.page)).toContain('No epoch was completed.');
    expect(await count(opened.page, '.plot')).toBe(0);
  });

  test('names that are written from right to left turn no word around them', async () => {
    const classNames = ['\u05d7\u05ea\u05d5\u05dc', '\u202egnp', 'dog']; // Hebrew; an override of the direction
    const { page } = await open(await reportOf(sampleRecord({ classNames }), [], [sampleMistake(3, 1, 0)]));
    const places = (await page.evaluate(`[...document.querySelectorAll('#pairs .names')].map((pair) => {
      const range = document.createRange();
      const words = [...pair.childNodes].find((node) => node.textContent === ' taken for ');
      const left = (at) => {
        range.setStart(words, at);
        range.setEnd(words, at + 1);
        return range.getBoundingClientRect().left;
      };
      return [left(1), left(words.length - 2)]; // the first and the last letter
    })`)) as [number, number][];
    expect(places.length).toBeGreaterThan(2);
    for (const [first, last] of places) expect(first).toBeLessThan(last);
    expect(await count(page, '#mistakes bdi')).toBe(2);
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
