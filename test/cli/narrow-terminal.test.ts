// What a run prints on a terminal of 80 columns: no line is longer, and the same words come without a terminal, each line whole.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { temporaryFolder } from '../interop/temporary-folder.js';
import { residua, residuaOnTerminal } from './run-cli.js';
import { screenOf } from './terminal-screen.js';
import { tinyEnv, tinyRun } from './tiny-run.js';

vi.setConfig({ testTimeout: 120_000 });

const folder = temporaryFolder();
const hasScript = spawnSync('script', ['--version']).error === undefined;

test.skipIf(!hasScript)('lines of epochs and the last words are broken between figures', async () => {
  const [narrow, none] = [join(folder, 'a-run-on-a-terminal'), join(folder, 'a-run-without-one')];
  const { status, stdout } = await residuaOnTerminal([...tinyRun, '--out', narrow], { env: tinyEnv });
  expect({ status, stdout }).toMatchObject({ status: 0 });
  const lines = screenOf(stdout.replaceAll('\r', ''));
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  const whole = await residua([...tinyRun, '--out', none], { env: tinyEnv });
  const epochs = whole.stdout.split('\n').filter((line) => /^epoch \d/.test(line));
  expect(epochs.map((line) => line.length > 80)).toEqual([true, true]);
  const timeless = (text: string): string => text.replace(/time [\d.]+ sec/g, 'time');
  const shown = lines.filter((_, i) => lines.slice(0, i + 1).some((line) => line.startsWith('epoch '))).join(' ');
  for (const line of epochs) expect(timeless(shown.replace(/ +/g, ' '))).toContain(timeless(line));
});

test.skipIf(!hasScript)('doctor breaks long values beside their names', async () => {
  const { stdout } = await residuaOnTerminal(['doctor'], {});
  const lines = stdout.split(/\r?\n/);
  expect(lines.filter((line) => line.length > 80 && line.trim().includes(' ') && !line.includes('/'))).toEqual([]);
  const remedy = lines.findIndex((line) => line.startsWith('  remedy '));
  if (remedy >= 0) expect(lines[remedy + 1]).toMatch(/^ {14}\S/); // a machine without a GPU
});
