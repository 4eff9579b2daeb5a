// Captured training steps against plain ones: the same bits on the CPU without passes and tuning, 1e-5 relative with them.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { clearPrograms, flushDeferred } from '../../lib/graph/deferral.js';
import {
  type AdamWOptions,
  autograd,
  cpu,
  type Device,
  init,
  loss,
  models,
  nn,
  ops,
  seed,
  setPrecision,
  type Tensor,
  Trainer,
  tensor,
  uniform,
} from '../../lib/index.js';
import { supports, testDevices } from '../helpers/devices.js';
import { expectClose } from '../helpers/tolerances.js';

afterEach(() => {
  vi.unstubAllEnvs();
  flushDeferred();
  setPrecision('float32');
});
beforeEach(clearPrograms); // programs are kept by what was recorded, not by the passes

/** relu(bn(conv(x))) and relu(bn(conv(.)) + x), with layers and ops called one by one. */
class Apart extends nn.Block {
  conv1 = new nn.Conv2D(6, { kernelSize: 3, padding: 1 });
  bn1 = new nn.BatchNorm();
  conv2 = new nn.Conv2D(6, { kernelSize: 3, padding: 1 });
  bn2 = new nn.BatchNorm();
  dense = new nn.Dense(4);
  forward(x: Tensor): Tensor {
    const hidden = ops.relu(this.bn1.forward(this.conv1.forward(x)));
    const y = ops.relu(ops.add(this.bn2.forward(this.conv2.forward(hidden)), hidden));
    return this.dense.forward(ops.mean(y, [2, 3]));
  }
}

/** 1x1, 3x3, 1x1, with a normalised shortcut: He et al. 2016, figure 5. The shortcut is the first operand of the sum. */
class Bottleneck extends nn.Block {
  body = new nn.Sequential().add(
    ...[1, 3].flatMap((kernelSize) => [
      new nn.Conv2D(4, { kernelSize, padding: (kernelSize - 1) / 2 }),
      new nn.BatchNorm(),
      new nn.Activation('relu'),
    ]),
    new nn.Conv2D(8, { kernelSize: 1 }),
    new nn.BatchNorm(),
  );
  shortcut = new nn.Sequential().add(new nn.Conv2D(8, { kernelSize: 1, useBias: false }), new nn.BatchNorm());
  head = new nn.Sequential().add(new nn.BatchNorm(), new nn.GlobalAvgPool2D(), new nn.Dense(4));
  forward(x: Tensor): Tensor {
    const y = ops.relu(ops.add(this.shortcut.forward(x), this.body.forward(x)));
    return this.head.forward(ops.relu(ops.add(y, ops.mul(y, y))));
  }
}

const nets: [string, () => nn.Block, number[]][] = [
  ["the chapter's net", () => models.chapterResNet18({ classes: 4 }), [4, 1, 48, 48]],
  ['BatchNorm, sum and ReLU one by one', () => new Apart(), [5, 3, 9, 7]],
  ['a bottleneck with a normalised shortcut', () => new Bottleneck(), [5, 3, 7, 9]],
];

/** Losses of three steps, then the parameters. */
async function train(
  make: () => nn.Block,
  shape: number[],
  device: Device,
  hybridize: boolean,
  trainerOf = (params: nn.ParameterDict) =>
    new Trainer(params, 'sgd', { learningRate: 0.005, momentum: 0.9, wd: 1e-2 }),
): Promise<Float32Array[]> {
  seed(5);
  const net = make();
  net.initialize({ init: new init.Xavier(), device });
  const x = uniform(shape, { device });
  const y = tensor(
    Int32Array.from({ length: shape[0] as number }, (_, i) => (3 * i) % 4),
    { device },
  );
  net.forward(x).dispose();
  net.hybridize(hybridize);
  const lossFn = new loss.SoftmaxCrossEntropyLoss();
  const trainer = trainerOf(net.collectParams());
  const results: Float32Array[] = [];
  for (let step = 0; step < 3; step++) {
    const losses = autograd.record(() => lossFn.forward(net.forward(x), y)); // [n]
    losses.backward();
    trainer.step(shape[0] as number);
    results.push((await losses.data()) as Float32Array);
    losses.dispose();
  }
  for (const parameter of net.collectParams().values()) results.push((await parameter.data().data()) as Float32Array);
  x.dispose();
  y.dispose();
  return results;
}

describe.each(testDevices)('captured equals eager on %s', (device) => {
  const withAdamW = (hybridize: boolean, options: AdamWOptions = {}) =>
    train(
      () => new Bottleneck(),
      [5, 3, 7, 9],
      device,
      hybridize,
      (params) => {
        return new Trainer(params, 'adamw', { learningRate: 0.01, ...options });
      },
    );

  test.runIf(device.equals(cpu()))('with AdamW, bit for bit without passes and tuning', async () => {
    vi.stubEnv('RESIDUA_PASSES', 'none');
    vi.stubEnv('RESIDUA_TUNE', '0');
    expect(await withAdamW(true)).toEqual(await withAdamW(false));
  });

  test('with AdamW, within 1e-5 with all passes', async () => {
    // A large epsilon: steps along gradients that are 0 but for rounding would be of any sign.
    const [captured, eager] = [await withAdamW(true, { epsilon: 0.1 }), await withAdamW(false, { epsilon: 0.1 })];
    for (const [i, values] of captured.entries())
      expectClose(values, eager[i] as Float32Array, { rtol: 1e-5, atol: 2e-6 });
  });

  describe.each(nets)('%s', (_, make, shape) => {
    test.runIf(device.equals(cpu()))('bit for bit without passes and tuning', async () => {
      vi.stubEnv('RESIDUA_PASSES', 'none');
      vi.stubEnv('RESIDUA_TUNE', '0');
      expect(await train(make, shape, device, true)).toEqual(await train(make, shape, device, false));
    });

    test.runIf(device.equals(cpu()) && supports(device, 'bfloat16'))('weights cast within convolutions', async () => {
      setPrecision('bfloat16');
      vi.stubEnv('RESIDUA_TUNE', '0');
      vi.stubEnv('RESIDUA_PASSES', 'none');
      const expected = await train(make, shape, device, true);
      clearPrograms();
      vi.stubEnv('RESIDUA_PASSES', 'cast-weights,dead-code');
      expect(await train(make, shape, device, true)).toEqual(expected);
    });

    test('within 1e-5 with all passes', async () => {
      const [captured, eager] = [await train(make, shape, device, true), await train(make, shape, device, false)];
      for (const [i, values] of captured.entries()) {
        const expected = eager[i] as Float32Array;
        let largest = 0;
        for (const value of expected) largest = Math.max(largest, Math.abs(value)); // of millions
        expectClose(values, expected, { rtol: 0, atol: 1e-5 * largest + 1e-6 }); // 1e-6: biases at 0
      }
    });
  });
});
