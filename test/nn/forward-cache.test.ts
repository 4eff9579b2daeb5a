// Hybridized blocks of the library repeat what their forward pass did, without its code; what it depends on may change at any time.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { flushDeferred } from '../../lib/graph/deferral.js';
import {
  autograd,
  cpu,
  loss,
  models,
  nn,
  ops,
  type Precision,
  seed,
  setDevice,
  setPrecision,
  setThreads,
  type Tensor,
  Trainer,
  tensor,
  tidy,
  uniform,
} from '../../lib/index.js';
import { isEmulated, supports, testDevices } from '../helpers/devices.js';
import { errorOf, expectResiduaError } from '../helpers/errors.js';
import { expectClose } from '../helpers/tolerances.js';
import { input as inputOn, made, residualNet } from './repeated-net.js';

/** How often the code of convolutions made since has run. */
const countConvolutions = () => {
  const spy = vi.spyOn(nn.Conv2D.prototype, 'forward');
  return () => spy.mock.calls.length;
};

beforeEach(() => {
  vi.stubEnv('RESIDUA_PASSES', 'none'); // as plain code does it, to the bit
  vi.stubEnv('RESIDUA_TUNE', '0');
  setThreads(1); // for these are small
});
afterEach(() => {
  flushDeferred();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  setDevice(cpu());
  setPrecision('float32');
});

const lossFn = new loss.SoftmaxCrossEntropyLoss();

/** Losses and weights' gradients of a step, and the gradient of its input. */
async function step(net: nn.Block, x: Tensor, trainer: Trainer | null = null): Promise<number[]> {
  const labels = tensor(
    Int32Array.from({ length: x.shape[0] as number }, (_, i) => i % 3),
    { device: x.device },
  );
  const losses = autograd.record(() => lossFn.forward(net.forward(x), labels)); // [n]
  losses.backward();
  trainer?.step(labels.size);
  const gradients = [...net.collectParams().values()].flatMap((each) => each.data().grad ?? []);
  const wanted = [losses, ...gradients, ...(x.grad ? [x.grad] : [])];
  return (await Promise.all(wanted.map((each) => each.data()))).flatMap((values) => [...values]);
}

describe.each(testDevices)('on %s', (device) => {
  const input = (n?: number) => inputOn(device, n);
  const expectEqual = (actual: number[], expected: number[]): void => {
    if (device.equals(cpu())) expect(actual).toEqual(expected);
    else expectClose(actual, expected, { rtol: 1e-4, atol: 1e-5 });
  };

  const cifar = (version: 'v1' | 'v2') => () => models.cifarResNet(20, { version, classes: 5 });
  const few = (options: object) => () => models.customResNet({ blocks: [1, 1], widths: [4, 8], ...options } as never);
  const nets: [string, () => nn.Block][] = [
    ['layers and a block', residualNet],
    ['a bottleneck', few({ block: 'bottleneck', stem: 'imagenet' })],
    ['a pre-activation bottleneck', few({ block: 'bottleneck', version: 'v2', stem: 'cifar' })],
    ...(isEmulated(device)
      ? []
      : ([
          ['v1 with constants', cifar('v1')],
          ['v2', cifar('v2')],
        ] as typeof nets)),
  ];
  const precisions: Precision[] = ['float32', ...(supports(device, 'bfloat16') ? (['bfloat16'] as const) : [])];
  describe.each(precisions)('in %s', (precision) => {
    test.each(nets)('%s trains as plain code does, and its code runs once', async (_, make) => {
      setPrecision(precision);
      const run = async (hybridize: boolean): Promise<[number[][], number[]]> => {
        const calls = countConvolutions();
        const net = made(device, make, hybridize);
        const x = input();
        x.requiresGrad = true;
        const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.05, momentum: 0.9 });
        const [steps, counts]: [number[][], number[]] = [[], []];
        for (let i = 0; i < 4; i++) {
          steps.push(await step(net, x, trainer));
          counts.push(calls());
        }
        steps.push([...(await net.forward(x).data())]);
        return [steps, counts];
      };
      const [plain, counts] = await run(false);
      const [repeated, repeatedCounts] = await run(true);
      for (const [i, values] of plain.entries()) expectEqual(repeated[i] as number[], values);
      const [once, ...later] = repeatedCounts;
      expect(new Set(later)).toEqual(new Set([once])); // the code of the layers ran in the first step alone
      expect(counts[3]).toBe(4 * (counts[0] as number));
    });
  });

  describe('what changes between calls is seen:', () => {
    type Change = (net: nn.Sequential) => void;
    const changes: [string, Change][] = [
      [
        'a frozen parameter',
        (net) => {
          (net.at(0) as nn.Conv2D).weight.trainable = false;
        },
      ],
      ['frozen statistics', (net) => void nn.freezeStatistics(net)],
      ['values', (net) => (net.at(5) as nn.Dense).weight.setData(new Float32Array(40).fill(0.5))],
      ['new first values', (net) => net.initialize({ forceReinit: true, device })],
      ['another layer', (net) => void net.add(new nn.Activation('relu'))],
      [
        'a replaced method',
        (net) => {
          const layer = net.at(0);
          const forward = layer.forward.bind(layer);
          layer.forward = (x: Tensor) => ops.mul(forward(x), 2);
        },
      ],
      [
        'a replaced fused method',
        (net) => {
          const { bn1 } = net.at(3) as nn.BasicBlock;
          bn1.forwardRelu = (x: Tensor) => ops.relu(ops.mul(bn1.forward(x), 2));
        },
      ],
      ['a replaced property', (net) => void Object.assign(net.at(3), { residual: false })],
    ];
    test.each(changes)('%s', async (_, change) => {
      const run = async (hybridize: boolean) => {
        const net = made(device, residualNet, hybridize) as nn.Sequential;
        const before = [await step(net, input()), await step(net, input())];
        seed(8); // for what a change draws
        change(net);
        const after = [await step(net, input()), await step(net, input())];
        return [...before, ...after];
      };
      const [plain, repeated] = [await run(false), await run(true)];
      for (const [i, values] of plain.entries()) expectEqual(repeated[i] as number[], values);
      expect(repeated[2]).not.toEqual(repeated[1]);
    });

    test('training, prediction, and whether the input wants a gradient', async () => {
      const run = async (hybridize: boolean) => {
        const net = made(device, residualNet, hybridize);
        const results: number[][] = [];
        for (let i = 0; i < 2; i++) {
          const [x, leaf] = [input(), input()];
          leaf.requiresGrad = true;
          results.push([...(await net.forward(x).data())], await step(net, x), await step(net, leaf));
          const y = autograd.record(() => ops.sum(net.forward(leaf)), { training: false });
          y.backward();
          results.push([...(await (leaf.grad as Tensor).data())]);
        }
        return results;
      };
      const [plain, repeated] = [await run(false), await run(true)];
      for (const [i, values] of plain.entries()) expectEqual(repeated[i] as number[], values);
    });
  });

  test('inputs of ever other shapes are right', async () => {
    const [plain, repeated] = [made(device, residualNet, false), made(device)];
    for (let n = 1; n <= 40; n += isEmulated(device) ? 13 : 1) {
      const x = input(n);
      expectClose(await tidy(() => repeated.forward(x)).data(), await tidy(() => plain.forward(x)).data());
      x.dispose();
    }
  });

  test("a user's block runs its code at each call, and the library's beside it do not", async () => {
    let calls = 0;
    class Scale extends nn.Block {
      forward(x: Tensor): Tensor {
        calls += 1;
        return ops.mul(x, calls);
      }
    }
    const convolutions = countConvolutions();
    const net = made(device, () => new nn.Sequential().add(new nn.BasicBlock(3, { inChannels: 3 }), new Scale()));
    const x = input();
    const first = await net.forward(x).data();
    const ran = convolutions();
    const second = await net.forward(x).data();
    expectClose(
      second,
      first.map((value) => 2 * value),
    );
    expect([calls, convolutions()]).toEqual([2, ran]);
  });

  test('Dropout draws anew at each call', async () => {
    const net = made(device, () => new nn.Sequential().add(new nn.Flatten(), new nn.Dropout(0.5)));
    const x = input();
    const draw = async () => [...(await autograd.record(() => net.forward(x)).data())];
    expect(await draw()).not.toEqual(await draw());
  });

  test('an input that does not fit is told with the layer, also after some that did', async () => {
    const net = made(device);
    for (let i = 0; i < 2; i++) {
      await tidy(() => net.forward(input())).data();
      const error = errorOf(() => net.forward(uniform([2, 4, 7, 7], { device })));
      expectResiduaError(error, 'SHAPE_ERROR', ['in layer 0', '4']);
    }
  });
});
