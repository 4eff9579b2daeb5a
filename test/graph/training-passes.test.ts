// The passes over training programs, each on the program of a small net: which ops are left, and what is left alone.
import { describe, expect, test } from 'vitest';
import { backendOf } from '../../lib/device.js';
import { recordProgram } from '../../lib/graph/deferral.js';
import { optimise, type Target } from '../../lib/graph/optimise.js';
import type { Node, Program } from '../../lib/graph/program.js';
import { autograd, cpu, nn, ops, type Tensor, Trainer, uniform } from '../../lib/index.js';

const x = uniform([2, 3, 5, 4]);

/** A training step of a net whose forward is `forward`. */
function stepOf<T extends object>(parts: T, forward: (parts: T, x: Tensor) => Tensor, { train = true } = {}): Program {
  class Net extends nn.Block {
    constructor() {
      super();
      Object.assign(this, parts);
    }
    forward(input: Tensor): Tensor {
      return forward(parts, input);
    }
  }
  const net = new Net();
  net.initialize();
  net.forward(x).dispose();
  const trainer = new Trainer(net.collectParams(), 'sgd', { learningRate: 0.1, momentum: 0.9 });
  return recordProgram(backendOf(cpu()), () => {
    if (!train) return void net.forward(x);
    const loss = autograd.record(() => ops.sum(net.forward(x)));
    loss.backward();
    trainer.step(2);
  });
}

const countOf = ({ nodes }: Program, op: string): number => nodes.filter((node) => node.op === op).length;
const counts = (program: Program, ...names: string[]): Record<string, number> =>
  Object.fromEntries(names.map((op) => [op, countOf(program, op)]));
const only = ({ nodes }: Program, op: string): Node => {
  const found = nodes.filter((node) => node.op === op);
  expect(found).toHaveLength(1);
  return found[0] as Node;
};
const conv = () => new nn.Conv2D(3, { kernelSize: 3, padding: 1 });

test('one optimiser op updates all parameters', () => {
  const program = stepOf({ conv: conv(), bn: new nn.BatchNorm() }, ({ conv, bn }, x) => bn.forward(conv.forward(x)));
  expect(only(program, 'sgd').attributes.count).toBe(4); // weight, bias, gamma, beta
});

describe('add-relu', () => {
  const run = (program: Program) => optimise(program, 'cpu', ['add-relu']);

  test('a sum and its ReLU become one op', () => {
    const program = run(stepOf({ conv: conv() }, ({ conv }, x) => ops.relu(ops.add(conv.forward(x), x))));
    expect(counts(program, 'add', 'relu', 'addRelu', 'reluBackward')).toEqual({
      add: 0,
      relu: 0,
      addRelu: 1,
      reluBackward: 1,
    });
  });

  test.each([
    ['a sum that broadcasts', (y: Tensor, x: Tensor) => ops.relu(ops.add(ops.mean(y, [0]), x))],
    [
      'a sum with another user',
      (y: Tensor, x: Tensor) => {
        const sum = ops.add(y, x);
        return ops.mul(ops.relu(sum), sum);
      },
    ],
  ])('not %s', (_, end) => {
    const program = run(stepOf({ conv: conv() }, ({ conv }, x) => end(conv.forward(x), x)));
    expect(counts(program, 'relu', 'addRelu')).toEqual({ relu: 1, addRelu: 0 });
  });
});

describe('batch-norm-relu', () => {
  const run = (program: Program) => optimise(program, 'cpu', ['batch-norm-relu']);
  const parts = () => ({ conv: conv(), bn: new nn.BatchNorm() });

  test('BatchNorm takes ReLU in, forward and backward', () => {
    const program = run(stepOf(parts(), ({ conv, bn }, x) => ops.relu(bn.forward(conv.forward(x)))));
    expect(counts(program, 'relu', 'reluBackward')).toEqual({ relu: 0, reluBackward: 0 });
    const [forward, backward] = [only(program, 'batchNorm'), only(program, 'batchNormBackward')];
    expect([forward.attributes.relu, backward.attributes.relu]).toEqual([true, true]);
    expect(backward.inputs[6]).toBe(forward.outputs[3]); // the mask
    expect(program.values[forward.outputs[3] as number]).toEqual({ shape: [2, 3, 5, 4], dtype: 'uint8' });
  });

  test('also in prediction, without a mask', () => {
    const program = run(stepOf(parts(), ({ conv, bn }, x) => ops.relu(bn.forward(conv.forward(x))), { train: false }));
    expect(only(program, 'batchNorm').outputs).toHaveLength(1);
    expect(countOf(program, 'relu')).toBe(0);
  });

  test('the gradient goes on alone where its result has another user', () => {
    const program = run(
      stepOf(parts(), ({ conv, bn }, x) => {
        const y = bn.forward(conv.forward(x));
        return ops.mul(ops.relu(y), y);
      }),
    );
    expect(counts(program, 'relu', 'reluBackward')).toEqual({ relu: 1, reluBackward: 1 });
  });
});

describe('batch-norm-add-relu', () => {
  const names = ['add-relu', 'batch-norm-add-relu', 'add-relu-backward'];
  const parts = () => ({ conv: conv(), bn: new nn.BatchNorm(), side: conv(), sideBn: new nn.BatchNorm() });
  const block = ({ conv, bn, side, sideBn }: ReturnType<typeof parts>, x: Tensor): Tensor =>
    ops.relu(ops.add(sideBn.forward(side.forward(x)), bn.forward(conv.forward(x))));
  const ends = ['batchNorm', 'addRelu', 'reluBackward', 'batchNormAddRelu', 'batchNormAddReluBackward'];

  test.each<Target>(['gpu', 'cpu'])('on the %s', (target) => {
    const program = optimise(stepOf(parts(), block), target, names);
    expect(Object.values(counts(program, ...ends))).toEqual([1, 0, 0, 1, 1]);
  });

  test('the residual of the fused op is the other operand, and gets its gradient from there', () => {
    const program = optimise(stepOf(parts(), block), 'gpu', names);
    const [forward, backward] = [only(program, 'batchNormAddRelu'), only(program, 'batchNormAddReluBackward')];
    const [other, otherBackward] = [only(program, 'batchNorm'), only(program, 'batchNormBackward')];
    expect(forward.inputs[1]).toBe(other.outputs[0]);
    expect(otherBackward.inputs[1]).toBe(backward.outputs[1]);
  });
});

describe('residual-gradient', () => {
  const parts = () => ({ conv: conv(), bn: new nn.BatchNorm(), next: conv() });
  const twoBlocks = ({ conv, bn, next }: ReturnType<typeof parts>, x: Tensor): Tensor => {
    const y = ops.relu(ops.add(bn.forward(conv.forward(x)), x));
    return ops.add(next.forward(y), y);
  };
  const run = (target: Target, forward = twoBlocks) =>
    optimise(stepOf(parts(), forward), target, ['add-relu', 'batch-norm-add-relu', 'residual-gradient']);

  test.each<[Target, number, number]>([
    ['cpu', 8, 1],
    ['gpu', 7, 2],
  ])('on the %s the gradient of a block takes %i inputs, and %i sums are left', (target, inputs, sums) => {
    const program = run(target);
    expect(only(program, 'batchNormAddReluBackward').inputs).toHaveLength(inputs);
    expect(countOf(program, 'add')).toBe(sums);
  });

  test('the operands of the sum are the gradients', () => {
    const [before, after] = [run('gpu'), run('cpu')];
    const sum = only(before, 'batchNormAddReluBackward').inputs[1] as number;
    const add = before.nodes.find((node) => node.outputs[0] === sum) as Node;
    const { inputs } = only(after, 'batchNormAddReluBackward');
    expect(add.op).toBe('add');
    expect([inputs[1], inputs[7]]).toEqual(add.inputs);
  });

  test('one gradient stays one', () => {
    const program = run('cpu', ({ conv, bn, next }, x) =>
      next.forward(ops.relu(ops.add(bn.forward(conv.forward(x)), x))),
    );
    expect(only(program, 'batchNormAddReluBackward').inputs).toHaveLength(7);
  });
});

describe('dead-bias', () => {
  const run = (program: Program, target: Target = 'gpu') => optimise(program, target, ['dead-bias']);
  const parts = () => ({ conv: conv(), bn: new nn.BatchNorm() });

  test('before BatchNorm the gradient is bias - bias', () => {
    const program = run(stepOf(parts(), ({ conv, bn }, x) => bn.forward(conv.forward(x))));
    expect(only(program, 'conv2dBackwardWeights').attributes.hasBias).toBe(false);
    const bias = only(program, 'conv2d').inputs[2] as number;
    const zeros = only(program, 'sub');
    expect(zeros.inputs).toEqual([bias, bias]);
    expect(only(program, 'sgd').inputs).toContain(zeros.outputs[0]);
  });

  test('not on the CPU', () => {
    expect(
      countOf(
        run(
          stepOf(parts(), ({ conv, bn }, x) => bn.forward(conv.forward(x))),
          'cpu',
        ),
        'sub',
      ),
    ).toBe(0);
  });

  test.each([
    [
      'where the convolution has another user',
      ({ conv, bn }: ReturnType<typeof parts>, x: Tensor) => {
        const y = conv.forward(x);
        return ops.mul(bn.forward(y), y);
      },
    ],
    [
      'with ReLU in between',
      ({ conv, bn }: ReturnType<typeof parts>, x: Tensor) => bn.forward(ops.relu(conv.forward(x))),
    ],
  ])('not %s', (_, forward) => {
    const program = run(stepOf(parts(), forward));
    expect(only(program, 'conv2dBackwardWeights').attributes.hasBias).toBe(true);
  });
});

describe('add-relu-backward', () => {
  const run = (program: Program) => optimise(program, 'cpu', ['add-relu-backward']);

  test('two gradients of one ReLU are added in its own gradient', () => {
    const program = run(
      stepOf({ conv: conv(), next: conv() }, ({ conv, next }, x) => {
        const y = ops.relu(conv.forward(x));
        return ops.add(next.forward(y), y);
      }),
    );
    expect(counts(program, 'reluBackward', 'addReluBackward')).toEqual({ reluBackward: 0, addReluBackward: 1 });
    expect(countOf(program, 'add')).toBe(1); // of the forward pass
  });

  test('not where the sum is used elsewhere too', () => {
    const node = (op: string, inputs: number[], outputs: number[]): Node => ({ op, attributes: {}, inputs, outputs });
    const value = { shape: [2], dtype: 'float32' as const };
    const program: Program = {
      leafCount: 3,
      values: Array.from({ length: 5 }, () => value),
      nodes: [node('add', [0, 1], [3]), node('reluBackward', [3, 2], [4])],
      outputs: [3, 4],
    };
    expect(run(program).nodes).toHaveLength(2);
    expect(run({ ...program, outputs: [4] }).nodes).toEqual([node('addReluBackward', [0, 1, 2], [4])]);
  });

  test('not across an update of what it reads', () => {
    const node = (op: string, inputs: number[], outputs: number[]): Node => ({ op, attributes: {}, inputs, outputs });
    const value = { shape: [2], dtype: 'float32' as const };
    const program: Program = {
      leafCount: 3,
      values: Array.from({ length: 5 }, () => value),
      nodes: [node('add', [0, 1], [3]), node('assign', [0, 2], []), node('reluBackward', [3, 2], [4])],
      outputs: [4],
    };
    expect(run(program).nodes).toHaveLength(3);
  });
});
