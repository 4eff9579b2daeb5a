// The Chromium helper notices what it is there to notice.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../interop/temporary-folder.js';
import { describeInChromium } from './chromium.js';

const folder = temporaryFolder();

function pageOf(body: string): string {
  const file = join(folder, 'page.html');
  writeFileSync(file, `<!doctype html><title>page</title>${body}`);
  return pathToFileURL(file).href;
}

describeInChromium('the Chromium helper', (open) => {
  test('a good page has no problem, and asks for itself alone', async () => {
    const url = pageOf('<p>good</p><img src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=">');
    const { page, problems, requests } = await open(url);
    expect(await page.$eval('p', (p) => p.textContent)).toBe('good');
    expect({ problems, requests }).toEqual({ problems: [], requests: [url] });
  });

  test('console errors, exceptions, and requests that fail', async () => {
    const url = pageOf(
      '<script>console.error("said")</script><script>throw new Error("thrown")</script><img src="none.png">',
    );
    const { problems, requests } = await open(url);
    expect(problems.join('\n')).toMatch(/console: said/);
    expect(problems.join('\n')).toMatch(/uncaught: .*thrown/);
    expect(problems.join('\n')).toMatch(/failed: file:.*none\.png/);
    expect(requests).toEqual([url, expect.stringMatching(/none\.png$/)]);
  });

  test('the size and the theme that are asked for', async () => {
    const { page } = await open(pageOf(''), { viewport: { width: 400, height: 300 }, theme: 'dark' });
    const seen = await page.evaluate('[innerWidth, matchMedia("(prefers-color-scheme: dark)").matches]');
    expect(seen).toEqual([400, true]);
  });
});
