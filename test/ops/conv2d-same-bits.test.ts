// Gradients come out with the same bits at every call, whichever thread takes which part of the work.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { root, runNode } from '../cli/run-cli.js';

const folder = mkdtempSync(join(tmpdir(), 'residua-same-bits-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Images, and how they are convolved. */
interface Layer {
  x: number[];
  w: number[];
  dy: number[];
  window: { strides?: number; padding: number };
}
// So many weights that threads share these, and few enough tiles of 4x4 pixels that all are held at a time.
const manyWeights: Layer = { x: [6, 256, 14, 14], w: [256, 256, 3, 3], dy: [6, 256, 14, 14], window: { padding: 1 } };
const fewChannels: Layer = {
  x: [3, 3, 61, 64],
  w: [64, 3, 7, 7],
  dy: [3, 64, 31, 32],
  window: { strides: 2, padding: 3 },
};

const scriptOf = ({
  x,
  w,
  dy,
  window,
}: Layer) => `import { autograd, ops, seed, setThreads, uniform } from '${root}/lib/index.ts';
  setThreads(2);
  seed(1);
  const [x, w, b, dy] = ${JSON.stringify([x, w, w.slice(0, 1), dy])}.map((shape) => uniform(shape, { low: -1, high: 1 }));
  w.requiresGrad = b.requiresGrad = true;
  const seen = { w: new Set(), b: new Set() };
  for (let i = 0; i < 60; i++) {
    const y = autograd.record(() => ops.conv2d(x, w, b, ${JSON.stringify(window)}));
    y.backward(dy);
    for (const [name, of] of Object.entries({ w, b })) seen[name].add(Buffer.from(of.grad.dataSync().buffer).toString('base64'));
    y.dispose();
  }
  console.log(seen.w.size, seen.b.size);`;

test.each([
  ['winograd', manyWeights],
  ['outerProducts', manyWeights],
  ['direct', manyWeights],
  ['planeProducts', fewChannels],
] as const)('of weights and bias, by %s', async (algorithm, layer) => {
  const file = join(folder, `${algorithm}.mts`);
  writeFileSync(file, scriptOf(layer));
  const tsx = join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs');
  const args = [tsx, '--tsconfig', join(root, 'tsconfig.json'), file];
  const run = await runNode(args, { env: { RESIDUA_CONV_ALGORITHM: algorithm } });
  expect(run).toEqual({ status: 0, stdout: '1 1\n', stderr: '' });
});
