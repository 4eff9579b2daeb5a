// Each algorithm of the CPU's convolutions, fixed by RESIDUA_CONV_ALGORITHM, against plain loops.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cpu } from '../../lib/index.js';
import { root, runNode } from '../cli/run-cli.js';
import { supports } from '../helpers/devices.js';
import {
  type ConvGeometry,
  conv2dForward,
  conv2dGradients,
  convOutputShape,
  weightShape,
} from '../helpers/plain-conv2d.js';
import { expectClose } from '../helpers/tolerances.js';
import { sizeOf, uniformValues } from '../helpers/values.js';
import { geometries } from './conv2d-geometries.js';

const types = ['float32', 'bfloat16'].filter((type) => supports(cpu(), type as 'bfloat16'));

const folder = mkdtempSync(join(tmpdir(), 'residua-algorithms-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const shapesOf = (geometry: ConvGeometry) => ({
  x: geometry.x,
  w: weightShape(geometry),
  b: [geometry.channels],
  dy: convOutputShape(geometry),
});
const seeds = { x: 1, w: 2, b: 3, dy: 4 };

const resultNames = ['y', 'twice', 'positive', 'bare', 'dx', 'dw', 'db'] as const;
/** `twice`: max(2 y, 0), `positive`: max(y, 0), by the fused op; `bare`: y without bias. */
type Result = Record<(typeof resultNames)[number], Float32Array>;

/** Shapes of results, and with them where each begins in what the script writes. */
function resultShapes(geometry: ConvGeometry): Record<keyof Result, readonly number[]> {
  const { x, w, b, dy } = shapesOf(geometry);
  return { y: dy, twice: dy, positive: dy, bare: dy, dx: x, dw: w, db: b };
}

/** What the plain loops give, by geometry: the same for every algorithm and type. */
const expectedResults = new Map<ConvGeometry, Record<keyof Result, Float64Array>>();

function expectedOf(geometry: ConvGeometry): Record<keyof Result, Float64Array> {
  const known = expectedResults.get(geometry);
  if (known) return known;
  const shapes = shapesOf(geometry);
  const valuesOf = (name: keyof typeof seeds) => uniformValues(sizeOf(shapes[name]), seeds[name]);
  const [x, w, b, dy] = [valuesOf('x'), valuesOf('w'), valuesOf('b'), valuesOf('dy')];
  const y = conv2dForward(geometry, x, w, b);
  const noBias = b.map(() => 0);
  const expected = {
    y,
    twice: y.map((each) => Math.max(2 * each, 0)),
    positive: y.map((each) => Math.max(each, 0)),
    bare: conv2dForward(geometry, x, w, noBias),
    ...conv2dGradients(geometry, x, w, dy),
  };
  expectedResults.set(geometry, expected);
  return expected;
}

// From plain images and from those of a convolution; the second time weights are in the layout that the first asked for.
const script = `
  import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
  import { autograd, ops, profile, tensor } from 'residua';
  import { run1 } from '${root}/lib/ops/run.ts';
  import { sizeOf, uniformValues } from '${root}/test/helpers/values.ts';

  const [, , from, to] = process.argv;
  const values = openSync(to + '.values', 'w');

  function step(window, dtype, image, [x, w, b], dy) {
    const y = autograd.record(() => ops.conv2d(image(x), w.astype(dtype), b, window));
    y.backward(dy.astype(dtype));
    const attributes = { ...window, relu: true, hasResidual: true };
    const twice = run1('conv2dFused', attributes, [image(x), w.astype(dtype), b, ops.copy(y)]);
    const positive = run1('conv2dFused', { ...window, relu: true, hasResidual: false }, [image(x), w.astype(dtype), b]);
    const bare = ops.conv2d(image(x), w.astype(dtype), undefined, window);
    for (const result of [y, twice, positive, bare, x.grad, w.grad, b.grad])
      writeSync(values, Float32Array.from(result.dataSync()));
    for (const input of [x, w, b]) {
      input.grad.dispose();
      input.grad = null;
    }
  }

  // What differs in any bit where the convolution casts the float32 weights itself.
  function castDifferences(window, image, x, w, dy) {
    const half = w.astype('bfloat16');
    const casts = { ...window, castsWeights: true }, inputSize = x.shape.slice(2);
    const results = {
      conv2d: [run1('conv2d', window, [image(x), half]), run1('conv2d', casts, [image(x), w])],
      conv2dBackwardData: [
        run1('conv2dBackwardData', { ...window, inputSize }, [image(dy), half]),
        run1('conv2dBackwardData', { ...casts, inputSize }, [image(dy), w]),
      ],
    };
    const isSame = ([a, b]) => Buffer.compare(...[a, b].map((y) => Buffer.from(Float32Array.from(y.dataSync()).buffer))) === 0;
    return Object.keys(results).filter((op) => !isSame(results[op]));
  }

  const { types, cases } = JSON.parse(readFileSync(from, 'utf8'));
  const algorithms = [];
  for (const dtype of types) {
    for (const { shapes, seeds, window } of cases) {
      const make = (name) => tensor(uniformValues(sizeOf(shapes[name]), seeds[name]), { shape: shapes[name] });
      const inputs = [make('x'), make('w'), make('b')];
      for (const input of inputs) input.requiresGrad = true;
      const channels = shapes.x[1];
      const identity = Float32Array.from({ length: channels ** 2 }, (_, i) => +(i % (channels + 1) === 0));
      const same = tensor(identity, { shape: [channels, channels, 1, 1] });
      const plain = (x) => x.astype(dtype);
      const laidOut = (x) => ops.conv2d(x, same).astype(dtype);
      const times = await profile(() => {
        for (const image of [plain, laidOut]) step(window, dtype, image, inputs, make('dy'));
      });
      algorithms.push(times.map(({ op, algorithm }) => op + ' ' + algorithm));
      if (dtype === 'float32' || window.groups > 1) continue;
      const [x, w] = inputs;
      for (const layout of ['plain', 'as the gradient']) {
        const differences = castDifferences(window, plain, x, w, make('dy'));
        algorithms.at(-1).push(...differences.map((op) => op + ' differs with weights ' + layout));
        ops.conv2d(x, w, undefined, window); // leaves w in blocks
      }
    }
  }
  closeSync(values);
  writeFileSync(to, JSON.stringify(algorithms));`;

/** One geometry in one type. */
interface Outcome {
  results: Result[];
  algorithms: string[];
}

/** All geometries, in all types, by an algorithm: type by type. One process: its start takes longer than what it computes. */
async function convolve(algorithm: string): Promise<Map<string, Outcome[]>> {
  const file = (name: string) => join(folder, `${algorithm}-${name}`);
  const cases = Object.values(geometries).map((geometry) => {
    const { strides, padding, dilation, groups } = geometry;
    return { shapes: shapesOf(geometry), seeds, window: { strides, padding, dilation, groups } };
  });
  writeFileSync(file('script.mts'), script);
  writeFileSync(file('in.json'), JSON.stringify({ types, cases }));
  const tsx = join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs');
  const args = [tsx, '--tsconfig', join(root, 'tsconfig.json'), file('script.mts'), file('in.json'), file('out.json')];
  const run = await runNode(args, {
    env: { RESIDUA_CONV_ALGORITHM: algorithm === 'choice' ? '' : algorithm, RESIDUA_PLAN_CACHE: '4096' },
  });
  expect(run).toEqual({ status: 0, stdout: '', stderr: '' });
  const used: string[][] = JSON.parse(readFileSync(file('out.json'), 'utf8'));
  const bytes = readFileSync(file('out.json.values'));
  let read = 0;
  const next = (shape: readonly number[]): Float32Array => {
    const size = 4 * sizeOf(shape);
    read += size;
    return new Float32Array(Uint8Array.from(bytes.subarray(read - size, read)).buffer);
  };
  const resultOf = (geometry: ConvGeometry): Result => {
    const shapes = resultShapes(geometry);
    return Object.fromEntries(resultNames.map((name) => [name, next(shapes[name])])) as Result;
  };
  const outcomes = types.map((dtype, t): [string, Outcome[]] => [
    dtype,
    Object.values(geometries).map((geometry, i) => ({
      results: [resultOf(geometry), resultOf(geometry)],
      algorithms: used[t * cases.length + i] as string[],
    })),
  ]);
  expect(read).toBe(bytes.length);
  return new Map(outcomes);
}

// The others read more pixels than their kernel has taps on the image, or are grouped.
const asMatrix = /^(3x3 on (one pixel|2x2|3x3)|1x1 on one pixel|5x5)(?!.*groups)/;

const asWinograd = /^3x3 on (2x2|3x3|5x7|12x12|33x15)(?!.*(stride|groups|dilated|3 channels))/;

// Groups that leave vectors of 8 partly empty, and those that do so with vectors of 16 alone. 31 cannot be merged evenly.
const asMergedGroups = /groups of (3|4|5|1 to 2)(?<!31 groups of 3)/;
const asMergedGroupsOf16 = /groups of 8/;

// More than 196 in y.
const tooManyPositions = /on 30x31|on 33x15|on 25x37/;

function hasInstructions(name: string): boolean {
  return process.platform === 'linux' && readFileSync('/proc/cpuinfo', 'utf8').includes(` ${name}`);
}
/** Of outer products, and of Winograd's algorithm, which in float32 does with AVX2. */
const hasAvx512 = (dtype: string) => hasInstructions(dtype === 'bfloat16' ? 'avx512_bf16' : 'avx512bw');
const hasAvx2 = () => hasInstructions('avx2');

/** Not grouped, no taps that meet padding alone, channels in whole blocks of 16; forward also an image of a few channels, not dilated. */
function registerTileOps(name: string, dtype: string): string[] {
  const { x, channels, dilation } = geometries[name] as ConvGeometry;
  const hasDeadTaps =
    /^(3x3|5x5) on one pixel|^3x3 on 2x2, stride 2|^3x3 on 3x2, dilated|^1x1 on 3x3, stride 2, padded/.test(name);
  if (name.includes('groups') || hasDeadTaps || channels % 16 > 0 || !hasAvx512(dtype)) return [];
  if (x[1] % 16 === 0) return ['conv2d', 'conv2dFused', 'conv2dBackwardData'];
  return x[1] <= 4 && dilation[1] === 1 ? ['conv2d', 'conv2dFused'] : [];
}

/** Channels in whole blocks of 16, which images keep from op to op: oneDNN 3's kernel for strides would take them apart. */
function isInBlocks(name: string): boolean {
  const { x, channels } = geometries[name] as ConvGeometry;
  return x[1] % 16 === 0 && channels % 16 === 0 && !name.includes('groups');
}

/** Few channels read, those written in whole blocks of 16; not grouped, rows of the kernel without gaps, no taps that meet padding alone. */
function suitsPlaneProducts(name: string, dtype: string): boolean {
  const { x, channels, dilation } = geometries[name] as ConvGeometry;
  return x[1] <= 4 && channels % 16 === 0 && dilation[1] === 1 && !/groups/.test(name) && hasAvx512(dtype);
}

/** Which must have run: elsewhere the direct convolution stands in. */
function expectedAlgorithms(algorithm: string, name: string, dtype: string): string[] {
  const channels = (geometries[name] as ConvGeometry).x[1];
  const suitsWinograd = asWinograd.test(name) && (hasAvx512(dtype) || (dtype === 'float32' && hasAvx2()));
  const ops = {
    matrix: asMatrix.test(name) ? ['conv2d', 'conv2dFused', 'conv2dBackwardData'] : [],
    tapProducts: name.includes('groups') || tooManyPositions.test(name) ? [] : ['conv2dBackwardWeights'],
    outerProducts: name.includes('groups') || channels < 8 || !hasAvx512(dtype) ? [] : ['conv2dBackwardWeights'],
    winograd: suitsWinograd ? ['conv2d', 'conv2dFused', 'conv2dBackwardData', 'conv2dBackwardWeights'] : [],
    winogradByPoints: suitsWinograd ? ['conv2d', 'conv2dFused', 'conv2dBackwardData'] : [],
    transposed: name.includes('groups') && !/stride|more than/.test(name) ? ['conv2d'] : [],
    registerTiles: registerTileOps(name, dtype),
    planeProducts: suitsPlaneProducts(name, dtype) ? ['conv2dBackwardWeights'] : [],
    mergedGroups:
      asMergedGroups.test(name) || (asMergedGroupsOf16.test(name) && hasAvx512('float32'))
        ? ['conv2d', 'conv2dFused', 'conv2dBackwardData', 'conv2dBackwardWeights']
        : [],
  }[algorithm];
  return (ops ?? []).map((op) => `${op} ${algorithm}`);
}

const algorithms = [
  'direct',
  'winograd',
  'winogradByPoints',
  'libraryWinograd',
  'matrix',
  'tapProducts',
  'outerProducts',
  'mergedGroups',
  'transposed',
  'registerTiles',
  'planeProducts',
  'choice',
];
describe.each(algorithms)('by %s', (algorithm) => {
  let outcomes: Map<string, Outcome[]>;
  beforeAll(async () => {
    outcomes = await convolve(algorithm);
  });

  describe.each(types)('%s', (dtype) => {
    test.each(Object.keys(geometries).map((name, i) => ({ name, i })))('$name', ({ name, i }) => {
      const geometry = geometries[name] as ConvGeometry;
      const expected = expectedOf(geometry);
      // In bfloat16 Winograd's algorithm errs 2.5 times as much as a direct convolution.
      const atol = algorithm.startsWith('winograd') ? 2e-1 : 8e-2;
      const tolerances = dtype === 'float32' ? { rtol: 1e-5, atol: 5e-5 } : { rtol: 2e-2, atol };
      const { results, algorithms } = outcomes.get(dtype)![i]!;
      const names = algorithms.map((each) => each.replace(/:.*/, '')); // without oneDNN's part
      expect(names).toEqual(expect.arrayContaining(expectedAlgorithms(algorithm, name, dtype)));
      const unexpected =
        /mergedGroups|transposed/.test(algorithm) && expectedAlgorithms(algorithm, name, dtype).length === 0;
      if (unexpected) expect(names.filter((each) => each.includes(algorithm))).toEqual([]);
      expect(names.filter((each) => each.includes('differs'))).toEqual([]);
      if (algorithm === 'choice' && name.includes('32 groups')) {
        expect(algorithms.filter((each) => each.startsWith('conv2d') && /gemm|ref/.test(each))).toEqual([]);
      }
      if (isInBlocks(name) && !hasInstructions('amx_bf16')) expect(algorithms.join()).not.toContain('brgconv_strided');
      const shapes = resultShapes(geometry);
      for (const result of results) {
        for (const name of resultNames)
          expectClose(result[name], expected[name], { what: name, shape: shapes[name], ...tolerances });
      }
    });
  });
});

test.runIf(hasAvx512('float32'))('NaN stays NaN through the ReLU of register tiles, and does not spread', async () => {
  const code = `
    import { ones, tensor } from 'residua';
    import { run1 } from '${root}/lib/ops/run.ts';
    const pixels = new Float32Array(16 * 42).fill(1); // [16, 6, 7]
    pixels[2 * 7 + 3] = NaN;
    const [x, w, b] = [tensor(pixels, { shape: [1, 16, 6, 7] }), ones([16, 16, 3, 3]), ones([16])];
    const window = { strides: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 };
    const y = run1('conv2dFused', { ...window, relu: true, hasResidual: false }, [x, w, b]);
    console.log([...y.dataSync()].map((value) => (Number.isNaN(value) ? 'n' : '.')).join(''));`;
  const file = join(folder, 'nan.mts');
  writeFileSync(file, code);
  const tsx = join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs');
  const run = await runNode([tsx, '--tsconfig', join(root, 'tsconfig.json'), file], {
    env: { RESIDUA_CONV_ALGORITHM: 'registerTiles' },
  });
  expect(run.stderr).toBe('');
  expect(run.stdout.trim()).toBe(
    ['.......', '..nnn..', '..nnn..', '..nnn..', '.......', '.......'].join('').repeat(16),
  );
});

test('an algorithm that does not exist is refused', async () => {
  const code = `import { ops, uniform } from 'residua'; ops.conv2d(uniform([1, 1, 2, 2]), uniform([1, 1, 1, 1]));`;
  const file = join(folder, 'refused.mts');
  writeFileSync(file, code);
  const tsx = join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs');
  const run = await runNode([tsx, '--tsconfig', join(root, 'tsconfig.json'), file], {
    env: { RESIDUA_CONV_ALGORITHM: 'fft' },
  });
  expect(run.stderr).toContain(
    "expected direct, winograd, winogradByPoints, libraryWinograd, matrix, tapProducts, outerProducts, mergedGroups, transposed, registerTiles or planeProducts, got 'fft'",
  );
});
