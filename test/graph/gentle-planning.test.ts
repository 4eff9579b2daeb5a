// Programs that are new are planned a little in each turn of the event loop; whoever computes meanwhile notices nothing of it.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { backendOf, cpu } from '../../lib/device.js';
import { clearPrograms, programCount } from '../../lib/graph/deferral.js';
import { slice } from '../../lib/graph/recorded-run.js';
import { autograd, capture, memory, nn, ops, type Tensor, Trainer, tensor, uniform, zeros } from '../../lib/index.js';
import type { NativeNode } from '../../lib/native.js';
import { collectGarbage } from '../helpers/collect-garbage.js';
import { testDevices } from '../helpers/devices.js';
import { expectResiduaError, rejectionOf } from '../helpers/errors.js';

/** x * 2^count, as a chain of so many ops; each length is another program. */
const doubled = (x: Tensor, count: number): Tensor =>
  Array.from({ length: count }).reduce<Tensor>((value) => ops.add(value, value), x);

/** Another length of chain each time, so that its program is new. */
let length = 20;
const nextLength = (): number => length++;

const usual = slice.milliseconds;
beforeEach(() => {
  slice.milliseconds = 0; // one op in each turn of the event loop
});
afterEach(() => {
  slice.milliseconds = usual;
});

describe.each(testDevices)('planning a program on %s', (device) => {
  const backend = backendOf(device);

  test('for no time at all plans one op', () => {
    const leaf = backend.fromHost(Float32Array.of(1, 2), [2], 'float32');
    const nodes: NativeNode[] = [0, 1, 2].map((input) => ({
      op: 'add',
      attributes: {},
      inputs: [input, input],
      outputCount: 1,
    }));
    const program = backend.compile(nodes, [leaf], [3], 0); // the first op
    expect(program.plan([leaf], 0)).toBe('more'); // the second
    expect(program.arenaBytes).toBe(0);
    expect(program.plan([leaf], 0)).toBe('more'); // the third
    expect(program.plan([leaf], 0)).toBe('planned');
    expect(program.plan([leaf], 0)).toBe('planned');
    expect(program.arenaBytes).toBeGreaterThan(0);
    expect(backend.read(program.run([leaf])[0]!)).toEqual(Float32Array.of(8, 16));
  });

  test('that is not planned to the end runs, and refuses other leaves', () => {
    const leaf = backend.fromHost(Float32Array.of(3), [1], 'float32');
    const add: NativeNode = { op: 'add', attributes: {}, inputs: [0, 0], outputCount: 1 };
    const program = backend.compile([add, { ...add, inputs: [1, 1] }], [leaf], [2], 0);
    expect(() => program.plan([], 0)).toThrow('expected 1 tensors, got 0');
    const other = backend.fromHost(Float32Array.of(1, 2), [2], 'float32');
    expect(() => program.run([other])).toThrow('[1]');
    expect(backend.read(program.run([leaf])[0]!)).toEqual(Float32Array.of(12));
  });

  test('leaves the event loop its turns', async () => {
    let turns = 0;
    let running = true;
    const counting = (async () => {
      for (; running; turns++) await nextTurn();
    })();
    const x = zeros([3, 1], { device });
    const sum = await capture((each: Tensor) => doubled(each, 15))(x);
    running = false;
    await counting;
    expect(await sum.data()).toEqual(new Float32Array(3));
    expect(turns).toBeGreaterThanOrEqual(14); // an op at once, the others in a turn each
  });

  test('what is computed meanwhile comes after it', async () => {
    const x = tensor([1, 1, 1, 1], { device });
    const result = capture((each: Tensor) => doubled(each, nextLength()).mul(0).add(each))(x);
    ops.assign(x, tensor([5, 5, 5, 5], { device }));
    expect(await (await result).data()).toEqual(Float32Array.of(1, 1, 1, 1));
    expect(await x.data()).toEqual(Float32Array.of(5, 5, 5, 5));
  });

  test('a value that is asked for and disposed comes all the same', async () => {
    const net = new Chain();
    net.hybridize();
    const y = net.forward(zeros([2, 5], { device }));
    const [values, again] = [y.data(), y.data()];
    y.dispose();
    expect(await values).toEqual(new Float32Array(10));
    expect(await again).toEqual(new Float32Array(10));
  });

  test('a parameter that is read while its update is planned is the updated one', async () => {
    const w = zeros([2, 7], { device });
    const update = capture((each: Tensor) => void ops.assign(w, doubled(each, nextLength()).add(3)))(
      zeros([2, 7], { device }),
    );
    expect(await w.data()).toEqual(new Float32Array(14).fill(3));
    await update;
  });

  test('keeps no tensor', async () => {
    const run = async (): Promise<void> => {
      const x = zeros([2, 9], { device });
      const net = new Chain();
      net.hybridize();
      const [y, unread] = [net.forward(x), net.forward(x)];
      const values = y.data();
      for (const each of [x, y, unread]) each.dispose();
      await values;
    };
    clearPrograms();
    await collectGarbage();
    const before = memory().tensors;
    await run();
    clearPrograms(); // its arena
    expect(memory().tensors).toBe(before);
  });
});

test('a program that cannot be planned rejects the promise of whoever asked, and nobody else', async () => {
  const programs = programCount(backendOf(cpu()));
  const x = zeros([1, 1], { device: cpu() });
  const huge = capture((each: Tensor) =>
    ops
      .broadcastTo(each, [1 << 20, 1 << 20])
      .mul(2)
      .sum(),
  )(x);
  const sum = ops.add(x, 1); // has it planned at once
  expectResiduaError(await rejectionOf(huge), 'OUT_OF_MEMORY', ['GiB']);
  expect(await sum.data()).toEqual(Float32Array.of(1));
  expect(programCount(backendOf(cpu()))).toBe(programs);
});

test('a training step after one whose function throws is whole', async () => {
  const net = new nn.Dense(1, { inUnits: 1, useBias: false });
  net.initialize();
  const weight = net.collectParams().get('weight')!;
  weight.setData(Float32Array.of(1));
  const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 1 });
  const x = uniform([1, 1], { low: 1, high: 1 });
  const throwing = capture((each: Tensor) => {
    autograd.record(() => net.forward(each)).backward();
    trainer.step(1);
    throw new Error('mine');
  });
  expect(((await rejectionOf(throwing(x))) as Error).message).toBe('mine');
  expect(await weight.data().data()).toEqual(Float32Array.of(0)); // 1 - 1 * x
});

/** A hybridizable net without parameters. */
class Chain extends nn.Block {
  readonly #length = nextLength();

  forward(x: Tensor): Tensor {
    return doubled(x, this.#length);
  }
}
