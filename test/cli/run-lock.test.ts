// The lock of a run's folder: processes of this machine, those that were killed, other machines.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { lockFileIn, lockRunFolder } from '../../lib/cli/run-lock.js';
import { ConfigError } from '../../lib/errors.js';
import { temporaryFolder } from '../interop/temporary-folder.js';
import { residua } from './run-cli.js';
import { stepsMade, tinyEnv, tinyRun } from './tiny-run.js';

vi.setConfig({ testTimeout: 60_000 });

const folder = temporaryFolder();
const file = lockFileIn(folder);
const foreign = { host: 'another-host', pid: process.pid, since: '2026-03-01T09:05:07.000Z' };

test('tells host and process while it is held, and is gone afterwards', async () => {
  const unlock = await lockRunFolder(folder);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ host: hostname(), pid: process.pid });
  await expect(lockRunFolder(folder)).rejects.toThrow(/found one that does: wait until it has ended\.$/);
  unlock();
  expect(readdirSync(folder)).toEqual([]);
  (await lockRunFolder(folder))();
});

test('of another host is refused, whatever its process, and stays', async () => {
  const text = JSON.stringify(foreign);
  writeFileSync(file, text);
  const refusal = lockRunFolder(folder);
  await expect(refusal).rejects.toThrow(ConfigError);
  await expect(refusal).rejects.toThrow(
    `found the lock of process ${process.pid} on host 'another-host', since 2026-03-01T09:05:07.000Z: it cannot be seen from here whether that goes on still. Wait until it has ended; if it was killed, or its machine is gone, remove ${file}.`,
  );
  expect(readFileSync(file, 'utf8')).toBe(text);
});

test.each([
  ['of a process of this host that was killed', JSON.stringify({ ...foreign, host: hostname() })],
  ['that was cut off', '{"host":"anoth'],
])('a lock %s is taken over', async (_, text) => {
  writeFileSync(file, text);
  const unlock = await lockRunFolder(folder);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ host: hostname(), pid: process.pid });
  unlock();
});

test('one that another host has taken meanwhile is not removed', async () => {
  const unlock = await lockRunFolder(folder);
  writeFileSync(file, JSON.stringify(foreign));
  unlock();
  expect(existsSync(file)).toBe(true);
});

test('a run that was killed leaves it and is resumed here; one on another host is not', async () => {
  const run = join(folder, 'run');
  const killed = await residua([...tinyRun, '--limit', '1024', '--epochs', '1', '--out', run], {
    env: tinyEnv,
    onStart: (child) => void stepsMade(run, 3).then(() => child.kill('SIGKILL')),
  });
  expect(killed.status).toBe(null);
  const lock = JSON.parse(readFileSync(lockFileIn(run), 'utf8')) as object;
  writeFileSync(lockFileIn(run), JSON.stringify({ ...lock, host: 'another-host' }));
  const refused = await residua(['train', '--resume', run], { env: tinyEnv });
  expect(refused).toMatchObject({ status: 1, stdout: '' });
  expect(refused.stderr).toMatch(/^error: [^\n]+ on host 'another-host', since [^\n]+\n$/);
  writeFileSync(lockFileIn(run), JSON.stringify(lock));
  expect(await residua(['train', '--resume', run], { env: tinyEnv })).toMatchObject({ status: 0 });
  expect(existsSync(lockFileIn(run))).toBe(false);
});
