// Started by plan-store.test.ts: a convolution and its gradients on gpu(0); prints the sum of all results.
import { autograd, gpu, ops, tensor } from '../../lib/index.js';
import { uniformValues } from '../helpers/values.js';

const device = gpu(0);
const x = tensor(uniformValues(2 * 8 * 6 * 6, 1), { shape: [2, 8, 6, 6], device });
const w = tensor(uniformValues(16 * 8 * 3 * 3, 2), { shape: [16, 8, 3, 3], device });
for (const input of [x, w]) input.requiresGrad = true;
const y = autograd.record(() => ops.conv2d(x, w, null, { padding: 1 }));
y.backward();
let sum = 0;
for (const result of [y, x.grad!, w.grad!]) for (const value of result.dataSync()) sum += value;
process.stdout.write(String(sum));
