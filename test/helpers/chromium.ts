// Opens pages in headless Chromium and notes what goes wrong in them and what they ask for.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import puppeteer, { type Browser, type Page, type Viewport } from 'puppeteer-core';
import { afterAll, beforeAll, describe } from 'vitest';

const names = ['chromium', 'chromium-browser', 'google-chrome'];

/** The browser on PATH; null where there is none. */
const program = findProgram();

export interface OpenPage {
  page: Page;
  /** Errors of the console, exceptions nobody caught, requests that failed. */
  problems: string[];
  /** Addresses that the page asked for, its own first; without data: addresses. */
  requests: string[];
}

export interface OpenOptions {
  /** Default 1000x800 pixels. */
  viewport?: Viewport;
  /** Default 'light'. */
  theme?: 'light' | 'dark';
}

/** Opens an address (http:, file:) in a new page of the suite's browser, once everything of it is loaded. */
export type Open = (url: string, options?: OpenOptions) => Promise<OpenPage>;

/** A suite of tests that share one browser. Skipped, with the reason in its name, where there is none. */
export function describeInChromium(name: string, suite: (open: Open) => void): void {
  if (program === null) {
    describe.skip(`${name} (skipped: none of ${names.join(', ')} is on PATH)`, () => suite(notOpened));
    return;
  }
  describe(name, () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await puppeteer.launch({ executablePath: program, args: launchArguments() });
    });
    afterAll(async () => {
      await browser?.close();
    });
    suite((url, options) => openIn(browser, url, options));
  });
}

/** Chromium's sandbox refuses to run as root; a container's /dev/shm may be too small for it. */
function launchArguments(): string[] {
  return ['--disable-dev-shm-usage', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])];
}

async function openIn(browser: Browser, url: string, options: OpenOptions = {}): Promise<OpenPage> {
  const { viewport = { width: 1000, height: 800 }, theme = 'light' } = options;
  const page = await browser.newPage();
  const problems: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`uncaught: ${error instanceof Error ? error.message : String(error)}`));
  page.on('requestfailed', (request) => problems.push(`failed: ${request.url()} ${request.failure()?.errorText}`));
  page.on('request', (request) => {
    if (!request.url().startsWith('data:')) requests.push(request.url());
  });
  await page.setViewport(viewport);
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
  await page.goto(url, { waitUntil: 'load' });
  return { page, problems, requests };
}

const notOpened: Open = () => Promise.reject(new Error('no Chromium'));

function findProgram(): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const files = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return files.find(canRun) ?? null;
}

function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
