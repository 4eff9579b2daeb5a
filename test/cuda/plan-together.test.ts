// A program's plans are made together: the graphs of all its ops are built before the first is prepared in earnest.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { capture, type Device, ops, uniform } from '../../lib/index.js';
import { testDevices } from '../helpers/devices.js';
import { expectClose } from '../helpers/tolerances.js';

const gpus: readonly Device[] = testDevices.filter(({ kind }) => kind === 'gpu');

test.skipIf(gpus.length === 0)('a captured function builds its plans before it allocates and runs', async () => {
  const device = gpus[0] as Device;
  const [x, w, v] = [
    uniform([2, 8, 13, 11], { device }),
    uniform([12, 8, 3, 3], { device }),
    uniform([4, 12, 5, 5], { device }),
  ];
  const net = (image: typeof x) => ops.conv2d(ops.conv2d(image, w), v);
  const folder = mkdtempSync(join(tmpdir(), 'residua-calls-'));
  process.env.RESIDUA_EMULATED_CALL_LOG = join(folder, 'calls');
  const result = await capture(net)(x);
  const calls = readFileSync(join(folder, 'calls'), 'utf8').split('\n');
  delete process.env.RESIDUA_EMULATED_CALL_LOG;
  rmSync(folder, { recursive: true });
  // cudnnCreate: a handle for each thread that builds.
  expect(calls).toContain('cudnnCreate');
  expect(calls.lastIndexOf('cudnnCreate')).toBeLessThan(calls.indexOf('cudnnBackendExecute'));
  expectClose(await result.data(), await net(x).data());
});
