// Ops on bfloat16 values against PyTorch's, where the device has the type.
import { describe, expect, test } from 'vitest';
import { autograd, type Device, ops, tensor, tidy } from '../../lib/index.js';
import { callOp } from '../helpers/call-op.js';
import { supports, testDevices } from '../helpers/devices.js';
import { type Inputs, testFixtures } from '../helpers/fixture-tests.js';

const hasType = (device: Device): boolean => supports(device, 'bfloat16');
const capable = testDevices.filter(hasType);
for (const device of testDevices.filter((each) => !hasType(each))) test.skip(`${device} has no bfloat16`, () => {});

interface Options {
  op: string;
  inputs: (keyof Inputs)[];
  /** Inputs that become bfloat16. */
  cast: string[];
  options: Record<string, unknown>;
}

// bfloat16 has 8 significant bits: one rounding is up to 0.4 %.
testFixtures(
  'bfloat16',
  (tensors, { op, inputs, cast, options }: Options) => {
    const given = inputs.map((name) => (cast.includes(name) ? tensors[name].astype('bfloat16') : tensors[name]));
    return callOp(op, given, options);
  },
  { rtol: 1e-2, atol: 2e-2 },
  capable,
);

describe.each(capable)('rounding to bfloat16 on %s', (device) => {
  test('is to nearest, ties to even', () => {
    tidy(() => {
      const halfUlp = 2 ** -8; // of 1
      const x = tensor([1 + halfUlp, 1 + 3 * halfUlp, 1 + halfUlp * 1.01, -1 - halfUlp, 3e38, 0], { device });
      expect([...x.astype('bfloat16').dataSync()].slice(0, 4)).toEqual([1, 1 + 4 * halfUlp, 1 + 2 * halfUlp, -1]);
      expect(x.astype('bfloat16').dataSync()[5]).toBe(0);
    });
  });

  test('lets gradients through', () => {
    tidy(() => {
      const x = tensor([1, 2, 3], { device });
      x.requiresGrad = true;
      autograd.record(() => ops.sum(x.astype('bfloat16').astype('float32'))).backward();
      expect([...x.grad!.dataSync()]).toEqual([1, 1, 1]);
      x.grad?.dispose();
    });
  });
});
