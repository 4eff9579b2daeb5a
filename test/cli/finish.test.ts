// The words at the end of an interrupted run: what is there, and the commands that are of use then.
import { afterEach, expect, test, vi } from 'vitest';
import { runFolder } from '../../lib/cli/run-folder.js';
import { finishRun } from '../../lib/cli/train/finish.js';
import type { Session } from '../../lib/cli/train/session.js';
import type { FitHistory } from '../../lib/train/index.js';

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

/** What is said of a run that was interrupted with this newest checkpoint. */
async function wordsOf(lastCheckpoint: string | null): Promise<string> {
  let words = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    words += String(text);
    return true;
  });
  const net = { loadParameters: vi.fn(), saveParameters: vi.fn() };
  const session = { net, run: { interrupted: true } } as unknown as Session;
  await finishRun(session, runFolder('runs/a'), { bestCheckpoint: null, lastCheckpoint } as FitHistory);
  expect(process.exitCode).toBe(130);
  return words;
}

test('after a step: how to go on, and how to see what was done', async () => {
  const words = await wordsOf('runs/a/checkpoints/step-1');
  expect(words).toContain('A checkpoint, weights and history so far are in runs/a.');
  expect(words).toMatch(/train --resume runs\/a\n/);
  expect(words).toMatch(/report runs\/a\n/);
});

test('before any step: how to go on, and no report of nothing', async () => {
  const words = await wordsOf(null);
  expect(words).toMatch(
    /^Interrupted\. No step was done; the history is in runs\/a\. To go on:\n .* train --resume runs\/a\n$/,
  );
  expect(words).not.toContain('report');
});
