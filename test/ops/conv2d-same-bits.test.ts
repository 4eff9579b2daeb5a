// Gradients come out with the same bits at every call, whichever thread takes which part of the work.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { root, runNode } from '../cli/run-cli.js';

const folder = mkdtempSync(join(tmpdir(), 'residua-same-bits-'));
afterAll(() => rmSync(folder, { recursive: true }));

// So many weights that threads share these, and few enough tiles of 4x4 pixels that all are held at a time.
const script = `import { autograd, ops, seed, setThreads, uniform } from '${root}/lib/index.ts';
  setThreads(2);
  seed(1);
  const [x, w, b, dy] = [[6, 256, 14, 14], [256, 256, 3, 3], [256], [6, 256, 14, 14]].map((shape) => uniform(shape, { low: -1, high: 1 }));
  w.requiresGrad = b.requiresGrad = true;
  const seen = { w: new Set(), b: new Set() };
  for (let i = 0; i < 60; i++) {
    const y = autograd.record(() => ops.conv2d(x, w, b, { padding: 1 }));
    y.backward(dy);
    for (const [name, of] of Object.entries({ w, b })) seen[name].add(Buffer.from(of.grad.dataSync().buffer).toString('base64'));
    y.dispose();
  }
  console.log(seen.w.size, seen.b.size);`;

test.each(['winograd', 'outerProducts', 'direct'])('of weights and bias, by %s', async (algorithm) => {
  const file = join(folder, `${algorithm}.mts`);
  writeFileSync(file, script);
  const tsx = join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs');
  const args = [tsx, '--tsconfig', join(root, 'tsconfig.json'), file];
  const run = await runNode(args, { env: { RESIDUA_CONV_ALGORITHM: algorithm } });
  expect(run).toEqual({ status: 0, stdout: '1 1\n', stderr: '' });
});
