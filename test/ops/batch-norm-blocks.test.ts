// BatchNorm of images in blocks of channels, as convolutions leave them on the CPU: against plain loops, whatever the number
// of threads, and with the sum of two gradients.
import { cpus } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import { cpu, devices, ops, profile, setThreads, type Tensor, tensor, tidy } from '../../lib/index.js';
import { run } from '../../lib/ops/run.js';
import { batchNormTraining } from '../helpers/plain-batch-norm.js';
import { expectClose } from '../helpers/tolerances.js';
import { sizeOf, uniformValues } from '../helpers/values.js';

type Shape = readonly [number, number, number, number];
type Kind = 'plain' | 'relu' | 'residual' | 'residual and two gradients';

const device = cpu();
const types = (['float32', 'bfloat16'] as const).filter(
  (dtype) => dtype === 'float32' || devices()[0]!.details?.instructionSet?.includes('bfloat16'),
);
const hasVectors = /AVX2|AVX-512/.test(devices()[0]!.details?.instructionSet ?? '');
afterEach(() => setThreads(cpus().length));

const shapes: Shape[] = [
  [1, 16, 1, 1],
  [7, 32, 1, 1], // images, not positions, beside each other
  [5, 20, 3, 1], // the last block is not full
  [9, 40, 2, 2],
  [3, 16, 7, 7],
  [2, 24, 17, 19], // more positions than the statistics take at once
  [130, 64, 2, 3], // several groups of images, the last one smaller
  [260, 32, 8, 8], // a block is larger than the cache
];
const kinds: Kind[] = ['plain', 'relu', 'residual', 'residual and two gradients'];
const options = { momentum: 0.7, epsilon: 1e-3 };

/** Values that both types hold. */
const values = (size: number, seed: number, range?: number, offset?: number): Float32Array =>
  uniformValues(size, seed, range, offset).map((value) => Math.round(value * 64) / 64);

function inputsOf(shape: Shape) {
  const [size, channels] = [sizeOf(shape), shape[1]];
  const image = (seed: number, offset = 0) => values(size, seed, 1, offset);
  const vector = (seed: number, offset: number) => values(channels, seed, 0.5, offset);
  return {
    x: image(1, 3), // far from 0
    residual: image(2).map((value) => (value < 0 ? -8 : 8)), // rounding decides no ReLU
    dy: image(3),
    moreDy: image(4),
    gamma: vector(5, 1),
    beta: vector(6, 0.1),
    runningMean: vector(7, 0),
    runningVar: vector(8, 1),
  };
}
type Inputs = ReturnType<typeof inputsOf>;

const names = ['y', 'dx', 'dgamma', 'dbeta', 'runningMean', 'runningVar'] as const;
type Results = Record<(typeof names)[number], ArrayLike<number>>;

/** By the ops themselves, x in blocks of channels: as a convolution with the identity gives it. */
function compute(shape: Shape, kind: Kind, dtype: 'float32' | 'bfloat16', inputs: Inputs): Results {
  return tidy(() => {
    const [n, c] = [shape[0], shape[1]];
    const identity = new Float32Array(c * c).map((_, i) => (i % (c + 1) === 0 ? 1 : 0));
    const w = tensor(identity, { shape: [c, c, 1, 1], device }).astype(dtype);
    const image = (name: keyof Inputs) => tensor(inputs[name], { shape, device }).astype(dtype);
    const vector = (name: keyof Inputs) => tensor(inputs[name], { device });
    const x = ops.conv2d(image('x'), w);
    expect(n).toBe(x.shape[0]);
    const [gamma, beta, mean, variance] = (['gamma', 'beta', 'runningMean', 'runningVar'] as const).map(vector) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    const attributes = { ...options, training: true };
    const backward = { epsilon: options.epsilon, training: true };
    if (kind === 'plain' || kind === 'relu') {
      const relu = kind === 'relu';
      const [y, ...saved] = run('batchNorm', { ...attributes, relu }, [x, gamma, beta, mean, variance]) as Tensor[];
      const inputs7 = [x, image('dy'), gamma, beta, ...saved] as Tensor[];
      const [dx, dgamma, dbeta] = run('batchNormBackward', { ...backward, relu }, inputs7) as Tensor[];
      return read({ y, dx, dgamma, dbeta, runningMean: mean, runningVar: variance });
    }
    const forward = [x, image('residual'), gamma, beta, mean, variance];
    const [y, ...saved] = run('batchNormAddRelu', attributes, forward) as Tensor[];
    const inputs7 = [x, image('dy'), gamma, beta, ...saved] as Tensor[];
    const inputs8 = kind === 'residual' ? inputs7 : [...inputs7, image('moreDy')];
    const [dx, dresidual, dgamma, dbeta] = run('batchNormAddReluBackward', backward, inputs8) as Tensor[];
    const gradient = read({ dresidual }).dresidual!;
    for (const [i, { isOn, dy }] of gatedBy(inputs, kind).entries()) {
      if (Math.abs(gradient[i]! - (isOn ? dy : 0)) > 0.02)
        expect.fail(`dresidual ${i}: ${gradient[i]}, ${isOn}, ${dy}`);
    }
    return read({ y, dx, dgamma, dbeta, runningMean: mean, runningVar: variance });
  });
}

const read = <T extends string>(tensors: Record<T, Tensor | undefined>): Record<T, Float32Array> =>
  Object.fromEntries(
    Object.entries<Tensor | undefined>(tensors).map(([name, t]) => [name, t!.astype('float32').dataSync()]),
  ) as Record<T, Float32Array>;

/** What the ReLU after the sum lets through of dy: a residual of 8 or -8 decides. */
const gatedBy = ({ residual, dy, moreDy }: Inputs, kind: Kind) =>
  Array.from(residual, (value, i) => ({
    isOn: value > 0,
    dy: kind === 'residual and two gradients' ? dy[i]! + moreDy[i]! : dy[i]!,
  }));

function expected(shape: Shape, kind: Kind, inputs: Inputs): Results {
  if (kind === 'plain' || kind === 'relu')
    return batchNormTraining(shape, inputs, { ...options, relu: kind === 'relu' });
  const dy = gatedBy(inputs, kind).map(({ isOn, dy }) => (isOn ? dy : 0));
  const result = batchNormTraining(shape, { ...inputs, dy }, { ...options, relu: false });
  return { ...result, y: result.y.map((value, i) => Math.max(value + inputs.residual[i]!, 0)) };
}

describe.runIf(hasVectors).each(types)('in %s', (dtype) => {
  const tolerance = dtype === 'float32' ? { rtol: 3e-4, atol: 2e-4 } : { rtol: 0.02, atol: 0.03 };

  test.each(shapes.flatMap((shape) => kinds.map((kind) => [shape, kind] as const)))('%o, %s', (shape, kind) => {
    if (sizeOf(shape) === shape[1]) {
      // One value a channel has no unbiased variance.
      expect(Array.from(compute(shape, kind, dtype, inputsOf(shape)).y).every(Number.isFinite)).toBe(true);
      return;
    }
    const inputs = inputsOf(shape);
    const reference = expected(shape, kind, inputs);
    const results = [1, 2, 3].map((threads) => {
      setThreads(threads);
      return compute(shape, kind, dtype, inputs);
    });
    // What is near 0 bfloat16 lets through otherwise.
    const compared = kind === 'relu' && dtype === 'bfloat16' ? (['y', 'runningMean', 'runningVar'] as const) : names;
    for (const name of compared) {
      const what = `${name} of ${kind}`;
      const sums = name === 'dgamma' || name === 'dbeta' ? Math.sqrt(sizeOf(shape) / shape[1]) : 1;
      const atol = tolerance.atol * Math.max(sums, 1);
      expectClose(results[0]![name], reference[name], { ...tolerance, atol, what });
      for (const more of results.slice(1)) expect(more[name], `${what} by more threads`).toEqual(results[0]![name]);
    }
  });
});

test.runIf(hasVectors)('these kernels compute what a convolution gave', async () => {
  const x = tensor(uniformValues(2 * 16 * 9, 1), { shape: [2, 16, 3, 3], device });
  const [w, one, zero] = [uniformValues(256, 2), new Float32Array(16).fill(1), new Float32Array(16)];
  const vectors = [one, zero, zero, one].map((vector) => tensor(vector, { device }));
  const times = await profile(() => {
    const y = ops.conv2d(x, tensor(w, { shape: [16, 16, 1, 1], device }));
    const attributes = { ...options, training: true, relu: true };
    const [, mean, variance, mask] = run('batchNorm', attributes, [y, ...vectors]) as Tensor[];
    const inputs = [y, y, vectors[0], vectors[1], mean, variance, mask] as Tensor[];
    run('batchNormBackward', { epsilon: options.epsilon, training: true, relu: true }, inputs);
  });
  const algorithms = times.filter(({ op }) => op.startsWith('batchNorm')).map(({ op, algorithm }) => [op, algorithm]);
  expect(algorithms).toEqual([
    ['batchNorm', 'channelBlocks'],
    ['batchNormBackward', 'channelBlocks'],
  ]);
});

// Such a convolution (ResNeXt's) leaves blocks of 4 channels, for which oneDNN has only its reference code, a hundred times slower.
test.runIf(hasVectors).each(types)(
  'after a convolution of groups of 4 channels, in %s, no reference code runs',
  async (dtype) => {
    const shape: Shape = [2, 32, 9, 7];
    const inputs = inputsOf(shape);
    const centre = new Float32Array(32 * 4 * 9).map((_, i) =>
      i % 9 === 4 && Math.floor(i / 9) % 4 === Math.floor(i / 36) % 4 ? 1 : 0,
    );
    const image = (name: keyof Inputs) => tensor(inputs[name], { shape, device }).astype(dtype);
    const vectors = (['gamma', 'beta', 'runningMean', 'runningVar'] as const).map((name) =>
      tensor(inputs[name], { device }),
    );
    const results: Results[] = [];
    const times = await profile(() => {
      const w = tensor(centre, { shape: [32, 4, 3, 3], device }).astype(dtype); // of each channel, the pixel itself
      const x = ops.conv2d(image('x'), w, undefined, { padding: 1, groups: 8 });
      const attributes = { ...options, training: true, relu: false };
      const [y, mean, variance] = run('batchNorm', attributes, [x, ...vectors]) as Tensor[];
      const inputs6 = [x, image('dy'), vectors[0], vectors[1], mean, variance] as Tensor[];
      const backward = { epsilon: options.epsilon, training: true, relu: false };
      const [dx, dgamma, dbeta] = run('batchNormBackward', backward, inputs6) as Tensor[];
      results.push(read({ y, dx, dgamma, dbeta, runningMean: vectors[2], runningVar: vectors[3] }));
    });
    const algorithms = times.filter(({ op }) => op.startsWith('batchNorm')).map(({ algorithm }) => algorithm);
    expect(algorithms).toHaveLength(2);
    expect(algorithms.filter((algorithm) => algorithm.includes('ref'))).toEqual([]);
    const reference = batchNormTraining(shape, inputs, { ...options, relu: false });
    const tolerance = dtype === 'float32' ? { rtol: 3e-4, atol: 3e-3 } : { rtol: 0.02, atol: 0.3 };
    for (const name of names) expectClose(results[0]![name], reference[name], { ...tolerance, what: name });
  },
);
