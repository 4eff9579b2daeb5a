// What keeps hybridized blocks from being captured is said once, with the place, or thrown; errors end recording.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { clearPrograms, flushDeferred, isDeferring } from '../../lib/graph/deferral.js';
import { autograd, capture, nn, ops, type Tensor, uniform } from '../../lib/index.js';
import { testDevices } from '../helpers/devices.js';
import { errorOf, expectResiduaError } from '../helpers/errors.js';
import { expectClose } from '../helpers/tolerances.js';

const warn = vi.spyOn(process, 'emitWarning');
beforeEach(() => {
  warn.mockReset().mockImplementation(() => {});
  clearPrograms(); // one that another test made is not new
});
afterEach(flushDeferred);

const warnings = (): string[] =>
  warn.mock.calls
    .filter(([, options]) => (options as { code?: string })?.code === 'RESIDUA_CAPTURE')
    .map(([text]) => String(text));

/** x / mean(x), with the mean read on the host. */
class Reads extends nn.Block {
  forward(x: Tensor): Tensor {
    const mean = ops.mean(ops.add(x, 0)).item();
    return ops.div(ops.relu(x), mean);
  }
}

/** Takes another turn at each call: the number of sums grows. */
class Grows extends nn.Block {
  calls = 0;
  forward(x: Tensor): Tensor {
    this.calls += 1;
    let y = x;
    for (let i = 0; i < this.calls; i++) y = ops.add(y, x);
    return y;
  }
}

class Fails extends nn.Block {
  forward(x: Tensor): Tensor {
    ops.add(x, x);
    throw new RangeError('of the user');
  }
}

describe.each(testDevices)('a hybridized block on %s', (device) => {
  const input = () => uniform([2, 3], { low: 1, high: 2, device });

  test('that reads a value in forward says so once, with layer and line, and gives the same values', async () => {
    const net = new nn.Sequential().add(new nn.Flatten(), new Reads());
    const x = input();
    const plain = await net.forward(x).data();
    net.hybridize();
    for (let call = 0; call < 3; call++) expectClose(await net.forward(x).data(), plain);
    expect(warnings()).toHaveLength(1);
    expect(warnings()[0]).toMatch(/in layer 1: .*watch\.test\.ts:\d+:\d+/);
    expect(warnings()[0]).not.toContain('\n');
  });

  test('strict: the read is a ConfigError', () => {
    const net = new nn.Sequential().add(new Reads());
    net.hybridize(true, { strict: true });
    expectResiduaError(
      errorOf(() => net.forward(input())),
      'CONFIG_ERROR',
      ['in layer 0', 'watch.test.ts'],
    );
    expect(isDeferring()).toBe(false);
    expect(warnings()).toEqual([]);
  });

  test('values read after forward, sizes inferred and programs that recur are nothing to say', async () => {
    const net = new nn.Sequential().add(new nn.Dense(4), new nn.Dense(2));
    net.initialize({ device });
    net.hybridize(true, { strict: true });
    const x = input();
    for (let step = 0; step < 12; step++) {
      const y = autograd.record(() => net.forward(x));
      if (step % 2 === 0) y.toArray();
      y.backward();
      await net.forward(x).data();
    }
    expect(warnings()).toEqual([]);
    expect(net.hybridized).toBe(true);
  });

  test('that differs at each call says so once and runs op by op', async () => {
    const net = new Grows();
    net.hybridize();
    const x = input();
    const first = await x.data();
    for (let call = 1; call <= 12; call++) {
      const y = net.forward(x);
      expectClose(
        await y.data(),
        first.map((value) => value * (call + 1)),
      );
    }
    expect(net.hybridized).toBe(false);
    expect(warnings()).toHaveLength(1);
    expect(warnings()[0]).toContain(`'${net.name}'`);
    expect(warnings()[0]).toContain('[2,3]');
  });

  test('strict: differing at each call is a ConfigError', async () => {
    const net = new Grows();
    net.hybridize(true, { strict: true });
    const x = input();
    const error = await (async () => {
      for (let call = 0; call < 12; call++) await net.forward(x).data();
    })().catch((thrown: unknown) => thrown);
    expectResiduaError(error, 'CONFIG_ERROR', [net.name]);
  });

  test('other shapes have programs of their own', async () => {
    const net = new nn.Sequential().add(new nn.Flatten(), new nn.Activation('relu'));
    net.hybridize(true, { strict: true });
    for (let size = 1; size <= 12; size++) await net.forward(uniform([size, 3], { device })).data();
    expect(net.hybridized).toBe(true);
  });

  test('whose forward throws ends recording; what came before keeps its values', async () => {
    const [good, bad] = [new nn.Activation('relu'), new nn.Sequential().add(new Fails())];
    good.hybridize();
    bad.hybridize();
    const x = input();
    const before = good.forward(x);
    expect(isDeferring()).toBe(true);
    expect(() => bad.forward(x)).toThrow('of the user');
    expect(isDeferring()).toBe(false);
    expectClose(await before.data(), await x.data());
  });

  test('inside capture() an error that is caught does not end recording', async () => {
    const bad = new Fails();
    bad.hybridize();
    const fn = capture((x: Tensor) => {
      expect(() => bad.forward(x)).toThrow('of the user');
      expect(isDeferring()).toBe(true);
      return ops.add(x, 1);
    });
    const x = input();
    expectClose(
      await (await fn(x)).data(),
      (await x.data()).map((value) => value + 1),
    );
  });
});

test.each([
  ['strict', { strict: 1 as never }],
  ['strikt', { strikt: true } as never],
])('hybridize() refuses a wrong %s', (name, options) => {
  expectResiduaError(
    errorOf(() => new nn.Flatten().hybridize(true, options)),
    'CONFIG_ERROR',
    [name],
  );
});
