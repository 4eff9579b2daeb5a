// Winograd's algorithm: how much it errs in bfloat16, and how far NaN spreads. Its results on many sizes are compared in
// conv2d-algorithms.test.ts.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root, runNode } from '../cli/run-cli.js';
import { type ConvGeometry, conv2dForward, conv2dGradients } from '../helpers/plain-conv2d.js';
import { sizeOf, uniformValues } from '../helpers/values.js';

const folder = mkdtempSync(join(tmpdir(), 'residua-winograd-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** bfloat16 has the upper half of a float32's bits. */
function roundedDown(values: Float32Array): Float32Array {
  return new Float32Array(new Uint32Array(values.buffer).map((bits) => bits & 0xffff0000).buffer);
}

const geometryOf = (x: ConvGeometry['x'], channels: number): ConvGeometry => ({
  x,
  channels,
  kernel: [3, 3],
  strides: [1, 1],
  padding: [1, 1],
  dilation: [1, 1],
  groups: 1,
});
const geometries: Record<string, ConvGeometry> = {
  'patches of 4x4': geometryOf([4, 48, 9, 9], 80),
  'images of 3x3 as a whole': geometryOf([4, 48, 3, 3], 80),
  'so many weights that threads share these': geometryOf([3, 288, 3, 3], 304),
};
const nanImage = { x: [1, 16, 12, 12], at: [5, 5] } as const;

const valuesOf = ({ x, channels }: ConvGeometry) => ({
  x: roundedDown(uniformValues(sizeOf(x), 1)),
  w: roundedDown(uniformValues(channels * x[1] * 9, 2)),
  b: new Float32Array(channels),
  dy: roundedDown(uniformValues(x[0] * channels * x[2] * x[3], 3)),
});

const script = `
  import { readFileSync, writeFileSync } from 'node:fs';
  import { autograd, ops, profile, tensor, uniform } from 'residua';
  import { run1 } from '${root}/lib/ops/run.ts';
  const [, , from, to] = process.argv;
  const { cases, nan } = JSON.parse(readFileSync(from, 'utf8'));
  const algorithms = [];
  const window = { strides: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 };
  const results = [];
  const same = [];
  const times = await profile(() => {
    for (const { shapes, values } of cases) {
      const make = (name) => tensor(Float32Array.from(values[name]), { shape: shapes[name] });
      const [x, w] = [make('x'), make('w')];
      x.requiresGrad = w.requiresGrad = true;
      const y = autograd.record(() => ops.conv2d(x.astype('bfloat16'), w.astype('bfloat16'), make('b'), window));
      y.backward(make('dy').astype('bfloat16'));
      // The gradient lies as the convolution left it, a copy of its values does not.
      const layouts = [w.grad, tensor(w.grad.dataSync(), { shape: shapes.w })].map((weights) => {
        const like = { w: weights.astype('bfloat16'), x: x.astype('bfloat16') };
        like.x.requiresGrad = true;
        const z = autograd.record(() => ops.conv2d(like.x, like.w, make('b'), window));
        z.backward();
        return [...z.dataSync(), ...like.x.grad.dataSync()];
      });
      same.push(layouts[0].length > 0 && layouts[0].every((value, i) => Object.is(value, layouts[1][i])));
      results.push({ y: [...y.dataSync()], dx: [...x.grad.dataSync()], dw: [...w.grad.dataSync()] });
    }
  });
  const pixels = new Float32Array(nan.x.reduce((a, b) => a * b)).fill(-1);
  pixels[nan.at[0] * nan.x[3] + nan.at[1]] = NaN;
  const image = tensor(pixels, { shape: nan.x }).astype('bfloat16');
  const w = uniform([16, 16, 3, 3], { low: 0.5, high: 1 }).astype('bfloat16');
  const b = tensor(new Float32Array(16), { shape: [16] });
  const y = run1('conv2dFused', { ...window, relu: true, hasResidual: false }, [image, w, b]);
  const kinds = [...y.dataSync()].map((value) => (Number.isNaN(value) ? 'n' : value === 0 ? '0' : '?'));
  writeFileSync(to, JSON.stringify({ results, same, kinds, algorithms: times.map(({ op, algorithm }) => op + ' ' + algorithm) }));`;

interface Outcome {
  results: Record<'y' | 'dx' | 'dw', number[]>[];
  same: boolean[];
  kinds: string[];
  algorithms: string[];
}
async function convolve(algorithm: string): Promise<Outcome> {
  const cases = Object.values(geometries).map((geometry) => {
    const { x, channels } = geometry;
    const shapes = { x, w: [channels, x[1], 3, 3], b: [channels], dy: [x[0], channels, x[2], x[3]] };
    return {
      shapes,
      values: Object.fromEntries(Object.entries(valuesOf(geometry)).map(([name, each]) => [name, [...each]])),
    };
  });
  const file = (name: string) => join(folder, `${algorithm}-${name}`);
  writeFileSync(file('script.mts'), script);
  writeFileSync(file('in.json'), JSON.stringify({ cases, nan: nanImage }));
  const tsx = join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs');
  const args = [tsx, '--tsconfig', join(root, 'tsconfig.json'), file('script.mts'), file('in.json'), file('out.json')];
  const run = await runNode(args, { env: { RESIDUA_CONV_ALGORITHM: algorithm } });
  expect(run).toEqual({ status: 0, stdout: '', stderr: '' });
  return JSON.parse(readFileSync(file('out.json'), 'utf8'));
}

/** Root of the mean square of the errors, relative to that of the values. */
function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let errors = 0;
  let squares = 0;
  for (let i = 0; i < expected.length; i++) {
    errors += ((actual[i] as number) - (expected[i] as number)) ** 2;
    squares += (expected[i] as number) ** 2;
  }
  return Math.sqrt(errors / squares);
}

const hasInstructions = (name: string) =>
  process.platform === 'linux' && readFileSync('/proc/cpuinfo', 'utf8').includes(` ${name}`);

describe.runIf(hasInstructions('avx512_bf16'))('with AVX512-BF16', () => {
  let outcome: Outcome;
  beforeAll(async () => {
    outcome = await convolve('winograd');
  });

  test('is what runs', () => {
    const ops = ['conv2d', 'conv2dBackwardData', 'conv2dBackwardWeights'];
    expect(outcome.algorithms).toEqual(expect.arrayContaining(ops.map((op) => `${op} winograd`)));
  });

  // Rounding to bfloat16 errs by 0.17% in the mean. It happens three times: to transformed patches and to transformed
  // weights, whose products have squares that add up to 25 / 9 of those that a direct convolution adds up, and to the
  // result: 0.17% sqrt(25 / 9 + 25 / 9 + 1) = 0.44%. A direct convolution rounds the result alone.
  test.each(Object.keys(geometries).map((name, i) => ({ name, i })))('errs by less than 0.6%: $name', ({ name, i }) => {
    const geometry = geometries[name] as ConvGeometry;
    const { x, w, b, dy } = valuesOf(geometry);
    const expected = { y: conv2dForward(geometry, x, w, b), ...conv2dGradients(geometry, x, w, dy) };
    for (const of of ['y', 'dx', 'dw'] as const) {
      const error = relativeError(outcome.results[i]?.[of] ?? [], expected[of]);
      expect(error, of).toBeGreaterThan(1e-4);
      expect(error, of).toBeLessThan(6e-3);
    }
  });

  test('weights in either layout give the same bits', () => {
    expect(outcome.same).toEqual(outcome.results.map(() => true));
  });

  test('NaN reaches the nine pixels that a direct convolution brings it to, and ReLU keeps it', () => {
    const [, channels, height, width] = nanImage.x;
    const isNear = (position: number) => position >= 4 && position <= 6;
    const expected = Array.from({ length: channels * height * width }, (_, i) =>
      isNear(Math.floor(i / width) % height) && isNear(i % width) ? 'n' : '0',
    );
    expect(outcome.kinds.join('')).toBe(expected.join(''));
  });
});

// Tiles of 4x4 pixels begin at 0, 4 and 8. NaN within one reaches all of it, and beyond it the neighbours alone.
test.runIf(hasInstructions('avx2')).each([
  { at: 5, first: 4, last: 7 },
  { at: 4, first: 3, last: 7 },
])('in float32 NaN at $at reaches its tile and its neighbours, and ReLU keeps it', async ({ at, first, last }) => {
  const script = `
    import { ops, tensor, uniform } from 'residua';
    import { run1 } from '${root}/lib/ops/run.ts';
    const pixels = new Float32Array(16 * 144).fill(-1);
    pixels[${at} * 12 + ${at}] = NaN;
    const x = tensor(pixels, { shape: [1, 16, 12, 12] });
    const w = uniform([16, 16, 3, 3], { low: 0.5, high: 1 });
    const window = { strides: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 };
    const b = tensor(new Float32Array(16), { shape: [16] });
    const y = run1('conv2dFused', { ...window, relu: true, hasResidual: false }, [x, w, b]);
    console.log([...y.dataSync()].map((value) => (Number.isNaN(value) ? 'n' : value)).join(''));`;
  const file = join(folder, `nan-${at}.mts`);
  writeFileSync(file, script);
  const tsx = join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs');
  const run = await runNode([tsx, '--tsconfig', join(root, 'tsconfig.json'), file], {
    env: { RESIDUA_CONV_ALGORITHM: 'winograd' },
  });
  expect(run.stderr).toBe('');
  const isNear = (position: number) => position >= first && position <= last;
  const expected = Array.from({ length: 16 * 144 }, (_, i) =>
    isNear(Math.floor(i / 12) % 12) && isNear(i % 12) ? 'n' : '0',
  );
  expect(run.stdout.trim()).toBe(expected.join(''));
});
