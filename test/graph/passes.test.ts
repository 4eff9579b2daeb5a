// Each pass on small programs.
import { describe, expect, test } from 'vitest';
import { chosenPasses, optimise, passes } from '../../lib/graph/optimise.js';
import { castWeightsInConv2d } from '../../lib/graph/passes/cast-weights.js';
import { shareCommonCasts } from '../../lib/graph/passes/common-casts.js';
import { eliminateDeadCode } from '../../lib/graph/passes/dead-code.js';
import { fuseConv2d } from '../../lib/graph/passes/fuse-conv2d.js';
import type { Node, Program } from '../../lib/graph/program.js';

const value = { shape: [2, 3], dtype: 'float32' } as const;

/** A program of nodes 'op inputs -> outputs'. */
function program(leafCount: number, nodes: Node[], outputs: number[]): Program {
  const count = Math.max(leafCount - 1, ...nodes.flatMap((node) => node.outputs)) + 1;
  return { leafCount, values: Array.from({ length: count }, () => value), nodes, outputs };
}
const node = (op: string, inputs: number[], outputs: number[], attributes = {}): Node => ({
  op,
  attributes,
  inputs,
  outputs,
});
const opsOf = ({ nodes }: Program): string[] => nodes.map(({ op, inputs }) => `${op}(${inputs.join()})`);

describe('dead code', () => {
  test('goes, with what only it needed', () => {
    const before = program(1, [node('relu', [0], [1]), node('mul', [1, 1], [2]), node('add', [0, 0], [3])], [3]);
    expect(opsOf(eliminateDeadCode(before))).toEqual(['add(0,0)']);
  });

  test('what updates a tensor stays', () => {
    const update = node('sgd', [0, 2, 1], [], { count: 1, hasMomentum: false });
    const before = program(2, [node('relu', [0], [2]), update, node('relu', [0], [3])], []);
    expect(opsOf(eliminateDeadCode(before))).toEqual(['relu(0)', 'sgd(0,2,1)']);
  });
});

describe('common casts', () => {
  const cast = (from: number, to: number, dtype = 'bfloat16') => node('cast', [from], [to], { dtype });

  test('the same cast is made once', () => {
    const before = program(1, [cast(0, 1), cast(0, 2), node('add', [1, 2], [3])], [3]);
    expect(opsOf(shareCommonCasts(before))).toEqual(['cast(0)', 'add(1,1)']);
  });

  test('another type is another cast', () => {
    const before = program(1, [cast(0, 1), cast(0, 2, 'int32'), node('add', [1, 2], [3])], [3]);
    expect(shareCommonCasts(before).nodes).toHaveLength(3);
  });

  test('a cast after an update is another one', () => {
    const before = program(2, [cast(0, 2), node('assign', [0, 1], []), cast(0, 3), node('add', [2, 3], [4])], [4]);
    expect(shareCommonCasts(before).nodes).toHaveLength(4);
  });

  test('one that is handed out stays', () => {
    const before = program(1, [cast(0, 1), cast(0, 2)], [1, 2]);
    expect(shareCommonCasts(before).nodes).toHaveLength(2);
  });
});

describe('cast weights', () => {
  // Leaves: image 0, weights 1, gradient 2, hyper-parameters 3.
  const cast = node('cast', [1], [4], { dtype: 'bfloat16' });
  const conv = (attributes = {}) => node('conv2d', [0, 4], [5], attributes);
  const data = node('conv2dBackwardData', [5, 4], [6]);
  const update = node('sgd', [1, 2, 3], [], { count: 1, hasMomentum: false });
  const typed = (nodes: Node[], weights: 'float32' | 'float16' = 'float32'): Program => {
    const before = program(4, nodes, [6]);
    const types = ['bfloat16', weights, 'float32', 'float32', 'bfloat16', 'bfloat16', 'bfloat16'] as const;
    return { ...before, values: types.map((dtype) => ({ ...value, dtype })) };
  };
  const run = (before: Program) => opsOf(castWeightsInConv2d(before, 'cpu'));

  test('convolutions read the weights that are updated later on', () => {
    const after = castWeightsInConv2d(typed([cast, conv(), data, update]), 'cpu');
    expect(opsOf(after)).toEqual(['cast(1)', 'conv2d(0,1)', 'conv2dBackwardData(5,1)', 'sgd(1,2,3)']);
    expect(after.nodes.map(({ attributes }) => attributes.castsWeights)).toEqual([undefined, true, true, undefined]);
    expect(opsOf(eliminateDeadCode(after))).not.toContain('cast(1)');
  });

  test('what comes after the update keeps its cast', () => {
    expect(run(typed([cast, conv(), update, data]))).toEqual([
      'cast(1)',
      'conv2d(0,1)',
      'sgd(1,2,3)',
      'conv2dBackwardData(5,4)',
    ]);
  });

  test.each([
    ['weights that nobody updates', typed([cast, conv(), data])],
    ['groups', typed([cast, conv({ groups: 2 }), update])],
    ['another type', typed([cast, conv(), update], 'float16')],
  ])('%s: nothing changes', (_, before) => {
    expect(castWeightsInConv2d(before, 'cpu').nodes[1]).toBe(before.nodes[1]);
  });

  test('on a GPU nothing changes', () => {
    const before = typed([cast, conv(), data, update]);
    expect(castWeightsInConv2d(before, 'gpu')).toBe(before);
  });
});

describe('residual sums', () => {
  // Leaves: image 0, weights 1, bias 2. The residual is value 3.
  const residualSum = (x: number, ...others: Node[]) =>
    program(
      3,
      [node('relu', [0], [3]), ...others, node('conv2dFused', [x, 1, 2], [5]), node('addRelu', [5, 3], [6])],
      [6, ...(others.length > 0 ? [4] : [])],
    );

  test('become part of the convolution', () => {
    expect(opsOf(fuseConv2d(residualSum(0)))).toEqual(['relu(0)', 'conv2dFused(0,1,2,3)']);
  });

  test('not where the convolution reads the residual: its result may lie there', () => {
    expect(opsOf(fuseConv2d(residualSum(3)))).toContain('addRelu(5,3)');
  });

  test('not where another value shares its storage', () => {
    expect(opsOf(fuseConv2d(residualSum(0, node('reshape', [3], [4]))))).toContain('addRelu(5,3)');
  });
});

test('passes are chosen by name', () => {
  expect(chosenPasses(undefined)).toEqual(Object.keys(passes));
  expect(chosenPasses('none')).toEqual([]);
  expect(chosenPasses('dead-code')).toEqual(['dead-code']);
  const before = program(1, [node('relu', [0], [1]), node('add', [0, 0], [2])], [2]);
  expect(optimise(before, 'cpu', []).nodes).toHaveLength(2);
  expect(optimise(before, 'cpu', ['dead-code']).nodes).toHaveLength(1);
});
