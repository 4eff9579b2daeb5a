// Bad input where tensors are made, read, moved and disposed.
import { afterEach, describe, expect, test } from 'vitest';
import {
  autograd,
  Device,
  full,
  memory,
  normal,
  ones,
  ops,
  seed,
  type Tensor,
  tensor,
  tidy,
  uniform,
  zeros,
} from '../../lib/index.js';
import { testDevices } from '../helpers/devices.js';
import { type ErrorCode, errorOf, expectResiduaError, rejectionOf } from '../helpers/errors.js';

const anything = (value: unknown) => value as never;

interface Case {
  name: string;
  call: () => unknown;
  code: ErrorCode;
  says: (string | RegExp)[];
}

const cases: Case[] = [
  {
    name: 'a size NaN',
    call: () => zeros([2, Number.NaN]),
    code: 'SHAPE_ERROR',
    says: ['shape', 'non-negative integers', 'NaN'],
  },
  {
    name: 'a negative size',
    call: () => ones([-1]),
    code: 'SHAPE_ERROR',
    says: ['shape', 'non-negative integers', '-1'],
  },
  { name: 'a fraction of a size', call: () => zeros([1.5]), code: 'SHAPE_ERROR', says: ['shape', '1.5'] },
  {
    name: 'an infinite size',
    call: () => zeros([Number.POSITIVE_INFINITY]),
    code: 'SHAPE_ERROR',
    says: ['shape', 'Infinity'],
  },
  { name: 'a word for a size', call: () => zeros(anything(['3'])), code: 'SHAPE_ERROR', says: ['shape', 'string'] },
  { name: 'no shape', call: () => zeros(anything(undefined)), code: 'SHAPE_ERROR', says: ['shape', 'undefined'] },
  { name: 'nine axes', call: () => zeros(Array(9).fill(1)), code: 'SHAPE_ERROR', says: ['shape', 'at most 8'] },
  {
    name: 'sizes whose product overflows',
    call: () => zeros([2 ** 40, 2 ** 40]),
    code: 'SHAPE_ERROR',
    says: ['shape', '2^53'],
  },
  {
    name: 'too few values',
    call: () => tensor([1, 2, 3], { shape: [2, 2] }),
    code: 'SHAPE_ERROR',
    says: ['4 values', '[2, 2]', '3'],
  },
  { name: 'ragged arrays', call: () => tensor([[1, 2], [3]]), code: 'SHAPE_ERROR', says: ['2', '1'] },
  {
    name: 'a word among numbers',
    call: () => tensor(anything([1, 'two'])),
    code: 'SHAPE_ERROR',
    says: ['numbers', 'string'],
  },
  { name: 'null for values', call: () => tensor(anything(null)), code: 'SHAPE_ERROR', says: ['null'] },
  {
    name: 'an unknown type',
    call: () => zeros([1], { dtype: anything('float64') }),
    code: 'DTYPE_ERROR',
    says: ['dtype', 'float32', "'float64'"],
  },
  {
    name: 'random integers',
    call: () => normal([2], { dtype: 'int32' }),
    code: 'DTYPE_ERROR',
    says: ['normal', 'int32'],
  },
  {
    name: 'values of 64-bit integers',
    call: () => tensor(anything(new BigInt64Array(2))),
    code: 'DTYPE_ERROR',
    says: ['BigInt64Array'],
  },
  {
    name: 'an unknown option',
    call: () => zeros([1], anything({ type: 'int32' })),
    code: 'CONFIG_ERROR',
    says: ["'type'", 'dtype'],
  },
  {
    name: 'limits the wrong way round',
    call: () => uniform([2], { low: 1, high: 0 }),
    code: 'CONFIG_ERROR',
    says: ['uniform', 'high', '1', '0'],
  },
  {
    name: 'a negative deviation',
    call: () => normal([2], { std: -1 }),
    code: 'CONFIG_ERROR',
    says: ['normal', 'std', '0', '-1'],
  },
  { name: 'a fraction for a seed', call: () => seed(0.5), code: 'CONFIG_ERROR', says: ['seed', 'integer', '0.5'] },
  { name: 'an unknown device', call: () => new Device('tpu'), code: 'DEVICE_ERROR', says: ["'cpu'", "'tpu'"] },
  {
    name: 'a device that is not there',
    call: () => zeros([1], { device: new Device('gpu(99)') }),
    code: 'BACKEND_UNAVAILABLE',
    says: ['gpu'],
  },
  {
    name: 'a word for a device',
    call: () => zeros([1], { device: anything('cpu') }),
    code: 'DEVICE_ERROR',
    says: ['device', /got (a )?(string|'cpu')/],
  },
];

describe('bad input to functions that make tensors', () => {
  test.each(cases)('$name', ({ call, code, says }) =>
    expectResiduaError(
      errorOf(() => tidy(() => void call())),
      code,
      says,
    ),
  );
});

describe.each(testDevices)('memory on %s', (device) => {
  const before = memory().tensors;
  afterEach(() => {
    expect(
      tidy(() => ops.add(tensor([1, 2], { device }), 1).toArray()),
      'the next op',
    ).toEqual([2, 3]);
    expect(memory().tensors, 'live tensors').toBe(before);
  });

  test.each([
    ['zeros', () => zeros([1e6, 1e6], { device })],
    ['full', () => full([1e15], 3, { device })],
    ['an op', () => ops.mul(ones([1e6, 1], { device }), ones([1, 1e7], { device }))],
  ])('an allocation of terabytes by %s is an OutOfMemoryError', (_, call) => {
    const error = errorOf(() => tidy(() => void call()));
    expectResiduaError(error, 'OUT_OF_MEMORY', [/\d{9}|[GTP]i?B/]);
    expect((error as { details: { bytesAsked: number } }).details.bytesAsked).toBeGreaterThan(1e12);
  });

  test('a disposed tensor is a DisposedError wherever it is used', async () => {
    const gone = zeros([2, 3], { device });
    gone.dispose();
    gone.dispose();
    expect(gone.disposed).toBe(true);
    const other = ones([2, 3], { device });
    const uses: (() => unknown)[] = [
      () => gone.dataSync(),
      () => gone.toArray(),
      () => gone.add(1),
      () => other.mul(gone),
      () => gone.reshape([6]),
      () => gone.detach(),
      () => ops.softmax(gone),
      () => ops.conv2d(other, gone),
      () => ops.sgdUpdate([other], [gone], null, { rescale: 1, momentum: 0, clip: 0, lrs: [1], wds: [0] }),
    ];
    for (const use of uses) expectResiduaError(errorOf(use), 'DISPOSED', ['[2, 3]', 'disposed']);
    expectResiduaError(await rejectionOf(gone.data()), 'DISPOSED', ['[2, 3]']);
    other.dispose();
  });

  test('a tensor of a finished scope is disposed', () => {
    let escaped: Tensor | undefined;
    tidy(() => {
      escaped = zeros([4], { device });
    });
    expectResiduaError(
      errorOf(() => escaped?.dataSync()),
      'DISPOSED',
      ['[4]'],
    );
  });

  test('item() of several elements', () => {
    tidy(() =>
      expectResiduaError(
        errorOf(() => zeros([2], { device }).item()),
        'SHAPE_ERROR',
        ['one element', '[2]'],
      ),
    );
  });

  test('backward() without history, with another shape, twice', () => {
    tidy(() => {
      const x = ones([3], { device });
      expectResiduaError(
        errorOf(() => x.backward()),
        'CONFIG_ERROR',
        ['record'],
      );
      x.requiresGrad = true;
      const y = autograd.record(() => ops.mul(x, x));
      expectResiduaError(
        errorOf(() => y.backward(ones([2], { device }))),
        'SHAPE_ERROR',
        ['[3]', '[2]'],
      );
      y.backward();
      expectResiduaError(
        errorOf(() => y.backward()),
        'CONFIG_ERROR',
        ['retainGraph'],
      );
      x.grad?.dispose();
    });
  });

  test('empty tensors are made, read and added', () => {
    tidy(() => {
      const empty = zeros([0, 3], { device });
      expect(empty.toArray()).toEqual([]);
      expect(ops.add(empty, ones([1, 3], { device })).shape).toEqual([0, 3]);
      expect(ops.relu(empty).dataSync()).toHaveLength(0);
    });
  });
});

const [first, second] = testDevices;
test.skipIf(second === undefined)('tensors on two devices meet', () => {
  tidy(() => {
    const [a, b] = [ones([2], { device: first! }), ones([2], { device: second! })];
    expectResiduaError(
      errorOf(() => ops.add(a, b)),
      'DEVICE_ERROR',
      [String(first), String(second), '.to('],
    );
  });
});
