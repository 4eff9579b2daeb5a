// Commands that messages name: in the form in which the process was started, quoted for a shell.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { trainCommandLine } from '../../lib/cli/command-line.js';

const started = process.argv[1] as string;
afterEach(() => {
  process.argv[1] = started;
  vi.unstubAllEnvs();
});

describe('the program', () => {
  test.each([
    ['/usr/local/bin/residua', 'residua train --resume runs/1'],
    [join(process.cwd(), 'dist/cli/main.js'), 'node dist/cli/main.js train --resume runs/1'],
    [join(process.cwd(), 'lib/cli/main.ts'), 'npx tsx lib/cli/main.ts train --resume runs/1'],
  ])('%s', (script, expected) => {
    process.argv[1] = script;
    expect(trainCommandLine('--resume', 'runs/1')).toBe(expected);
  });

  test('npm start', () => {
    vi.stubEnv('npm_lifecycle_event', 'start');
    expect(trainCommandLine('--resume', 'runs/1')).toBe('npm start -- --resume runs/1');
  });
});

test('a shell gives the arguments back', () => {
  process.argv[1] = '/bin/residua';
  const path = `it's "my" $HOME; run`;
  const line = trainCommandLine('--resume', path).replace('residua train --resume', 'printf %s');
  expect(execFileSync('sh', ['-c', line], { encoding: 'utf8' })).toBe(path);
});
