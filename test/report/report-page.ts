// Reads a report in a browser.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'puppeteer-core';
import type { RunRecord } from '../../lib/cli/run-record.js';
import { type Mistake, writeReport } from '../../lib/report/index.js';
import { temporaryFolder } from '../interop/temporary-folder.js';
import { writeRun } from './sample-run.js';

const folder = temporaryFolder();
let runs = 0;

/** The address of the report of a run in a folder of its own. */
export async function reportOf(record: RunRecord, metrics: string[], mistakes: Mistake[] = []): Promise<string> {
  const run = writeRun(join(folder, `run${runs++}`), record, metrics);
  return pathToFileURL(await writeReport(run, { record, mistakes })).href;
}

export const texts = (page: Page, selector: string): Promise<string[]> =>
  page.$$eval(selector, (elements) => elements.map((element) => element.textContent ?? ''));

export const count = (page: Page, selector: string): Promise<number> => page.$$eval(selector, (found) => found.length);

/** The values of a chart's line, read off its picture with the labels of the axes as ruler. */
export async function readOff(page: Page, chart: string, line: string): Promise<{ x: number; y: number }[]> {
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
