// metrics.jsonl as it is read for reports: whole lines, speeds across a resumption, groups of steps; round numbers for axes; escaping.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { html, trusted } from '../../lib/report/html.js';
import { meanSpeed, readMetrics, type StepLine, speeds, thinned } from '../../lib/report/metrics-file.js';
import { niceAxis, ticksWithin } from '../../lib/report/ticks.js';
import { temporaryFolder } from '../interop/temporary-folder.js';

const folder = temporaryFolder();

const line = (step: number, more: Partial<StepLine> = {}): StepLine => ({
  epoch: 1,
  batch: step,
  batches: 10,
  step,
  stepLoss: step,
  loss: step,
  accuracy: 0.5,
  learningRate: 0.1 * step,
  images: 32,
  seconds: step * 0.5,
  ...more,
});

describe('readMetrics', () => {
  test('sorts lines by their event, and drops what is no whole line', async () => {
    const file = join(folder, 'metrics.jsonl');
    const lines = [
      { event: 'step', ...line(1) },
      { event: 'numericProblem', epoch: 1, step: 2, loss: 'NaN', layer: 'loss', action: 'skip' },
      { event: 'epoch', epoch: 1, loss: 0.5 },
    ].map((each) => JSON.stringify(each));
    writeFileSync(file, `${lines.join('\n')}\n\n{"event":"step","st`);
    const { steps, epochs, problems } = await readMetrics(file);
    expect(steps).toEqual([{ event: 'step', ...line(1) }]);
    expect(epochs).toMatchObject([{ epoch: 1, loss: 0.5 }]);
    expect(problems).toMatchObject([{ step: 2, loss: 'NaN' }]);
  });

  test('a file that is missing has no lines', async () => {
    expect(await readMetrics(join(folder, 'none'))).toEqual({ steps: [], epochs: [], problems: [] });
  });
});

describe('speeds', () => {
  test('images by seconds, epoch by epoch', () => {
    const second = [1, 2].map((batch) => line(batch + 2, { epoch: 2, batch, seconds: batch * 0.25 }));
    expect(speeds([line(1), line(2), ...second])).toEqual(
      new Map([
        [1, 64],
        [2, 128],
      ]),
    );
  });

  test('a resumption in the middle of an epoch counts its seconds from 0', () => {
    const resumed = [line(3, { seconds: 0.5 }), line(4, { seconds: 1 })];
    expect(speeds([line(1), line(2), ...resumed])).toEqual(new Map([[1, 64]]));
  });

  test('with a line every few steps', () => {
    expect(speeds([line(2), line(4), line(6)])).toEqual(new Map([[1, 64]]));
  });

  test('the mean over epochs is all images by all seconds', () => {
    expect(meanSpeed([100, 50])).toBeCloseTo(200 / 3);
    expect(meanSpeed([])).toBeNull();
  });
});

describe('thinned', () => {
  test('few steps stay as they are', () => {
    const groups = thinned([1, 2, 3].map((step) => line(step)));
    expect(groups.map(({ step, loss, low, high }) => [step, loss, low, high])).toEqual([
      [1, 1, 1, 1],
      [2, 2, 2, 2],
      [3, 3, 3, 3],
    ]);
  });

  test('groups have the mean, the lowest and the highest loss, and the last rate', () => {
    const steps = Array.from({ length: 25 }, (_, i) => line(i + 1));
    steps[0]!.stepLoss = null;
    for (let i = 20; i < 25; i++) steps[i]!.stepLoss = null;
    const groups = thinned(steps, 5);
    expect(groups.map(({ step }) => step)).toEqual([5, 10, 15, 20, 25]);
    expect(groups[0]).toEqual({ step: 5, loss: 3.5, low: 2, high: 5, learningRate: 0.5 });
    expect(groups[4]?.loss).toBeNull();
  });

  test.each([999, 1000, 1001, 100_000])('%i steps: at most 1000 groups', (count) => {
    const groups = thinned(Array.from({ length: count }, (_, i) => line(i + 1)));
    expect(groups.length).toBeLessThanOrEqual(1000);
    expect(groups.length).toBeGreaterThan(500);
    expect(groups.at(-1)?.step).toBe(count);
  });
});

describe('axes', () => {
  test.each([
    [0, 0.75, [0, 0.2, 0.4, 0.6, 0.8]],
    [0.721, 0.901, [0.7, 0.75, 0.8, 0.85, 0.9, 0.95]],
    [0, 2e-5, [0, 5e-6, 1e-5, 1.5e-5, 2e-5]],
    [0.5, 0.5, [0.5, 0.52]],
    [0, 0, [0, 0.25, 0.5, 0.75, 1].slice(0, 2)],
  ])('from %f to %f', (least, most, ticks) => {
    const axis = niceAxis(least, most, { count: 4 });
    expect(axis.ticks.slice(0, ticks.length)).toEqual(ticks);
    expect(axis.from).toBeLessThanOrEqual(least);
    expect(axis.to).toBeGreaterThanOrEqual(most);
  });

  test.each([
    [1, 8, [2, 4, 6, 8]],
    [1, 3, [1, 2, 3]],
    [1, 1, [1]],
    [4, 3752, [1000, 2000, 3000]],
    [1, 15, [5, 10, 15]],
  ])('of whole numbers within %i and %i', (least, most, ticks) => {
    expect(ticksWithin(least, most, { count: 6, whole: true })).toEqual({ from: least, to: most, ticks });
  });
});

describe('html', () => {
  test('escapes strings, in content and in attributes, in lists too', () => {
    const name = '<b a="1">&\'';
    expect(html`<p title="${name}">${[name, 1]}${null}</p>`.markup).toBe(
      '<p title="&lt;b a=&quot;1&quot;&gt;&amp;\'">&lt;b a=&quot;1&quot;&gt;&amp;\'1</p>',
    );
  });

  test('keeps markup', () => {
    expect(html`<p>${[html`<i>${'<'}</i>`, trusted('<hr>')]}</p>`.markup).toBe('<p><i>&lt;</i><hr></p>');
  });
});
