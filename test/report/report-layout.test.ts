// The page of report.html: any width, dark, on paper.
import type { Page } from 'puppeteer-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { describeInChromium } from '../helpers/chromium.js';
import { reportOf } from './report-page.js';
import { sampleMetrics, sampleMistake, sampleRecord } from './sample-run.js';

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
