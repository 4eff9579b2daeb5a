// The bar of a download: no line is longer than the terminal, and no mode of the terminal is changed, for Ctrl-C to leave behind.
import { afterEach, expect, test, vi } from 'vitest';
import { progressBar } from '../../lib/data/download-progress.js';
import { screenOf } from '../cli/terminal-screen.js';

const { isTTY, columns } = process.stderr;
afterEach(() => {
  vi.restoreAllMocks();
  Object.assign(process.stderr, { isTTY, columns });
});

/** What a download of 26.4 MB writes to a terminal of so many columns. */
function written(width: number): string {
  Object.assign(process.stderr, { isTTY: true, columns: width });
  let text = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((piece) => {
    text += String(piece);
    return true;
  });
  const tell = progressBar('train-images-idx3-ubyte.gz');
  for (const received of [0, 13.2e6, 26.4e6]) tell?.({ file: 'a', received, total: 26.4e6, done: received === 26.4e6 });
  return text;
}

test.each([
  [80, /^train-images-idx3-ubyte\.gz 100% \u2588{16} 26\.4\/26\.4 MB/],
  [31, /^train-images-idx3-ubyte\.gz 100%$/],
])('on %i columns', (width, line) => {
  const listeners = process.listenerCount('SIGINT');
  const text = written(width);
  const screen = screenOf(text);
  expect(Math.max(...screen.map(({ length }) => length))).toBeLessThanOrEqual(width);
  expect(screen[0]).toMatch(line);
  expect(text).not.toContain('[?');
  expect(process.listenerCount('SIGINT')).toBe(listeners);
});
