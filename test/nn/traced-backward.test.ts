// The backward pass of a block that repeats its forward pass: once, twice, late, never, or refused.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { flushDeferred } from '../../lib/graph/deferral.js';
import { autograd, cpu, nn, ops, setThreads } from '../../lib/index.js';
import { testDevices } from '../helpers/devices.js';
import { errorOf, expectResiduaError } from '../helpers/errors.js';
import { expectClose } from '../helpers/tolerances.js';
import { input as inputOn, made, residualNet } from './repeated-net.js';

beforeEach(() => {
  vi.stubEnv('RESIDUA_PASSES', 'none'); // as plain code does it, to the bit
  vi.stubEnv('RESIDUA_TUNE', '0');
  setThreads(1); // for these are small
});
afterEach(() => {
  flushDeferred();
  vi.unstubAllEnvs();
});

describe.each(testDevices)('on %s', (device) => {
  const input = () => inputOn(device);
  const expectEqual = (actual: number[], expected: number[]): void => {
    if (device.equals(cpu())) expect(actual).toEqual(expected);
    else expectClose(actual, expected, { rtol: 1e-4, atol: 1e-5 });
  };

  test('a second backward pass needs retainGraph, and adds nothing', async () => {
    const net = made(device);
    const x = input();
    for (let i = 0; i < 2; i++) {
      const y = autograd.record(() => ops.sum(net.forward(x)));
      const gradient = async () => [...(await (net.collectParams().get('0.weight') as nn.Parameter).grad().data())];
      y.backward(undefined, { retainGraph: true });
      const first = await gradient();
      y.backward();
      expect(await gradient()).toEqual(first);
      expectResiduaError(
        errorOf(() => y.backward()),
        'CONFIG_ERROR',
        ['retainGraph'],
      );
    }
  });

  type Pass = (net: nn.Block) => void;
  const updates: [string, Pass, { training: boolean }][] = [
    [
      'an update of a weight',
      (net) => {
        const weight = (net.collectParams().get('5.weight') as nn.Parameter).data();
        ops.assign(weight, ops.mul(weight, 2));
      },
      { training: true },
    ],
    [
      'a forward pass that moves the statistics it used',
      (net) => autograd.record(() => net.forward(input())).dispose(),
      { training: false },
    ],
  ];
  test.each(updates)('%s between forward and backward is refused', (_, update, mode) => {
    const net = made(device);
    for (let i = 0; i < 2; i++) {
      const y = autograd.record(() => ops.sum(net.forward(input())), mode);
      update(net);
      expectResiduaError(
        errorOf(() => y.backward()),
        'CONFIG_ERROR',
        ['updated in place'],
      );
    }
  });

  test('a backward pass is that of its forward pass, whatever has changed since', async () => {
    const run = async (hybridize: boolean) => {
      const net = made(device, residualNet, hybridize) as nn.Sequential;
      const x = input();
      const y = autograd.record(() => ops.sum(net.forward(x)));
      net.add(new nn.Dense(2, { inUnits: 5 }));
      net.initialize({ device });
      autograd.record(() => net.forward(x)).dispose();
      y.backward();
      return [...(await (net.collectParams().get('5.weight') as nn.Parameter).grad().data())];
    };
    expectEqual(await run(true), await run(false));
  });

  test('the backward pass also runs where its tape is read in between, or never', async () => {
    const run = async (hybridize: boolean) => {
      const net = made(device, residualNet, hybridize);
      const x = input();
      const results: number[][] = [];
      for (let i = 0; i < 3; i++) {
        autograd.record(() => net.forward(x)).dispose();
        const scores = autograd.record(() => net.forward(x));
        results.push([...(await scores.data())]);
        scores.backward();
        results.push([...(await (net.collectParams().get('0.weight') as nn.Parameter).grad().data())]);
      }
      return results;
    };
    const [plain, repeated] = [await run(false), await run(true)];
    for (const [i, values] of plain.entries()) expectEqual(repeated[i] as number[], values);
  });
});
