// The page of serve in Chromium: a picture that is dropped, chosen or pasted gets its bars; names are text; errors are told.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { beforeAll, expect, test } from 'vitest';
import type { NetServer, nn } from '../../lib/index.js';
import { describeInChromium } from '../helpers/chromium.js';
import { temporaryFolder } from '../interop/temporary-folder.js';
import { classNames, type Picture, picture, probabilitiesOf, served, smallNet } from './test-server.js';

const folder = temporaryFolder();
let net: nn.Block;
let server: NetServer;
let pictures: Picture[];

beforeAll(async () => {
  net = smallNet();
  server = await served(net);
  pictures = await Promise.all([1, 2, 3].map(picture));
});

/** The rows of the bars, as soon as `count` cards have theirs: 'dog 43.2%', by card, the newest first. */
async function rows(page: Page, count: number): Promise<string[][]> {
  await page.waitForFunction(`document.querySelectorAll('article li:nth-child(5)').length === ${count}`);
  return (await page.evaluate(
    `[...document.querySelectorAll('article')].map((card) => [...card.querySelectorAll('li')].map((row) => row.children[0].textContent + ' ' + row.children[1].textContent))`,
  )) as string[][];
}

const expected = (one: Picture): string[] =>
  probabilitiesOf(net, one)
    .map((probability, number) => ({ probability, name: classNames[number] }))
    .sort((a, b) => b.probability - a.probability)
    .map(({ name, probability }) => `${name} ${(100 * probability).toFixed(1)}%`);

/** Hands the window an event with a file: 'drop' or 'paste'. */
const give = (page: Page, kind: 'drop' | 'paste', file: Buffer, name: string): Promise<unknown> =>
  page.evaluate(`(() => {
    const data = new DataTransfer();
    const bytes = Uint8Array.from(atob('${file.toString('base64')}'), (c) => c.charCodeAt(0));
    data.items.add(new File([bytes], '${name}', { type: 'image/png' }));
    const init = { bubbles: true, cancelable: true, dataTransfer: data, clipboardData: data };
    const event = '${kind}' === 'drop' ? new DragEvent('drop', init) : new ClipboardEvent('paste', init);
    document.getElementById('zone').dispatchEvent(event);
  })()`);

describeInChromium('the page', (open) => {
  test('dropped, pasted and chosen pictures, and nothing from elsewhere', async () => {
    const { page, problems, requests } = await open(`${server.url}/`);
    await page.waitForFunction("document.title === 'small'");
    expect(await page.$eval('#facts', (facts) => facts.textContent)).toBe(
      '5 classes \u00b7 12 \u00d7 12 pixels, colour \u00b7 float32 \u00b7 cpu',
    );
    await give(page, 'drop', pictures[0]!.file, 'dropped.png');
    expect(await rows(page, 1)).toEqual([expected(pictures[0]!)]);
    await give(page, 'paste', pictures[1]!.file, 'pasted.png');
    expect(await rows(page, 2)).toEqual([expected(pictures[1]!), expected(pictures[0]!)]);
    const chosen = join(folder, 'chosen.png');
    writeFileSync(chosen, pictures[2]!.file);
    const [chooser] = await Promise.all([page.waitForFileChooser(), page.click('#zone')]);
    await chooser.accept([chosen]);
    expect((await rows(page, 3))[0]).toEqual(expected(pictures[2]!));
    expect(await page.$$eval('.file', (names) => names.map((name) => name.textContent))).toEqual([
      'chosen.png',
      'pasted.png',
      'dropped.png',
    ]);
    expect(problems).toEqual([]);
    for (const url of requests) expect(url).toMatch(new RegExp(`^(blob:)?${server.url}/`));
  });

  test('the widest bar is as wide as its probability; markup in a class name stays text', async () => {
    const { page } = await open(`${server.url}/`, { viewport: { width: 400, height: 800 } });
    await give(page, 'drop', pictures[0]!.file, 'one.png');
    const [row] = (await rows(page, 1)) as [string[]];
    expect(row.some((text) => text.startsWith('<img src=x'))).toBe(true);
    expect(await page.$$eval('#results img', (images) => images.length)).toBe(1);
    const best = Math.max(...probabilitiesOf(net, pictures[0]!));
    await page.waitForFunction(
      `(() => { const bar = document.querySelector('li u'); return Math.abs(bar.offsetWidth / bar.parentElement.offsetWidth - ${best}) < 0.02; })()`,
    );
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(400); // nothing sticks out
  });

  test('by keyboard alone: Tab comes to the chooser, which is seen and has a name; answers are told', async () => {
    const { page } = await open(`${server.url}/`);
    await page.keyboard.press('Tab');
    const found = await page.evaluate(`(() => {
      const { type, labels } = document.activeElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(document.getElementById('zone'));
      return [type, labels[0].innerText.split('\\n')[0], outlineStyle, outlineWidth];
    })()`);
    expect(found).toEqual(['file', 'Drop a picture here', 'solid', '3px']);
    const chosen = join(folder, 'by-key.png');
    writeFileSync(chosen, pictures[0]!.file);
    const focused = await page.$('input:focus'); // of type file: its keys are the browser's
    await focused!.uploadFile(chosen);
    expect((await rows(page, 1))[0]).toEqual(expected(pictures[0]!));
    expect(await page.$eval('article', (card) => card.closest('[aria-live]')?.getAttribute('aria-live'))).toBe(
      'polite',
    );
    expect(await page.$eval('article img', (image) => image.getAttribute('alt'))).toBe('by-key.png');
  });

  test('a file that is no image: the reason, in its card', async () => {
    const { page } = await open(`${server.url}/`);
    await give(page, 'drop', Buffer.from('hello'), 'notes.txt');
    await page.waitForSelector('article.failed');
    expect(await page.$eval('article .best', (text) => text.textContent)).toBe(
      'Expected a JPEG, PNG or WebP image, got another format.',
    );
  });
});
