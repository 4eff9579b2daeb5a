// The Tensor object: reading, views, disposal, text.
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ConfigError, DisposedError, DTypeError, ShapeError } from '../../lib/errors.js';
import { arange, full, tensor, zeros } from '../../lib/tensor/create.js';
import { onEachDevice } from '../helpers/on-each-device.js';

onEachDevice((device) => {
  describe('reading', () => {
    it('gives values now and later', async () => {
      const t = tensor([
        [1, 2],
        [3, 4],
      ]).add(1);
      expect([...(await t.data())]).toEqual([2, 3, 4, 5]);
      expect([...t.dataSync()]).toEqual([2, 3, 4, 5]);
      expect(t.toArray()).toEqual([
        [2, 3],
        [4, 5],
      ]);
    });

    it('gives a copy', () => {
      const t = tensor([1, 2]);
      t.dataSync().fill(9);
      expect(t.toArray()).toEqual([1, 2]);
    });

    it('gives the one value of a tensor of one element', () => {
      expect(tensor([[7]]).item()).toBe(7);
      expect(() => tensor([1, 2]).item()).toThrow(ShapeError);
    });
  });

  describe('arithmetic', () => {
    const x = tensor([
      [1, -2],
      [3, 4],
    ]);

    it('has methods for the ops', () => {
      expect(x.add(1).toArray()).toEqual([
        [2, -1],
        [4, 5],
      ]);
      expect(x.sub([1, 1].length).toArray()).toEqual([
        [-1, -4],
        [1, 2],
      ]);
      expect(x.mul(x).toArray()).toEqual([
        [1, 4],
        [9, 16],
      ]);
      expect(x.div(2).toArray()).toEqual([
        [0.5, -1],
        [1.5, 2],
      ]);
      expect(x.relu().toArray()).toEqual([
        [1, 0],
        [3, 4],
      ]);
      expect(x.equal(3).toArray()).toEqual([
        [0, 0],
        [1, 0],
      ]);
      expect(x.argmax().toArray()).toEqual([0, 1]);
      expect(x.argmax(0).toArray()).toEqual([1, 1]);
      expect(x.sum().item()).toBe(6);
      expect(x.sum(0).toArray()).toEqual([4, 2]);
      expect(x.mean(-1).toArray()).toEqual([-0.5, 3.5]);
      expect(x.softmax().sum(1).toArray()).toEqual([expect.closeTo(1), expect.closeTo(1)]);
      expect(x.logSoftmax(0).toArray()).toEqual([
        [expect.closeTo(-2.1269), expect.closeTo(-6.0025)],
        [expect.closeTo(-0.1269), expect.closeTo(-0.0025)],
      ]);
    });

    it('broadcasts as NumPy does', () => {
      expect(
        tensor([[1], [2]])
          .add(tensor([10, 20]))
          .toArray(),
      ).toEqual([
        [11, 21],
        [12, 22],
      ]);
      expect(
        tensor(1)
          .add(tensor([10, 20]))
          .toArray(),
      ).toEqual([11, 21]);
    });

    it('takes numbers only as the tensor can hold them', () => {
      const ints = tensor([1, 2], { dtype: 'int32' });
      expect(ints.add(1).toArray()).toEqual([2, 3]);
      expect(() => ints.add(0.5)).toThrow(DTypeError);
      expect(() => ints.mul(2 ** 31)).toThrow(DTypeError);
      expect(() => tensor(Uint8Array.of(1)).equal(-1)).toThrow(DTypeError);
    });

    it('refuses operands that are no tensors, naming what came', () => {
      expect(() => x.add('1' as never)).toThrow(ConfigError);
      expect(() => x.add('1' as never)).toThrow(
        'add expected two tensors or a tensor and a number, got Tensor and string.',
      );
      expect(() => x.mul(undefined as never)).toThrow(ConfigError);
    });

    it('refuses axes that are not there', () => {
      expect(() => x.sum(2)).toThrow(ShapeError);
      expect(() => x.sum([0, -2])).toThrow(ShapeError);
      expect(() => x.argmax(-3)).toThrow(ShapeError);
      expect(() => x.softmax(0.5)).toThrow(ShapeError);
      expect(() => x.mean(Number.NaN)).toThrow(ShapeError);
      expect(() => tensor(1).argmax()).toThrow('argmax: axis expected none, for a scalar has no axes, got -1.');
    });
  });

  describe('shape, type and device', () => {
    it('reshapes, one size left open', () => {
      const x = arange(6);
      expect(x.reshape([2, 3]).toArray()).toEqual([
        [0, 1, 2],
        [3, 4, 5],
      ]);
      expect(x.reshape([3, -1]).shape).toEqual([3, 2]);
      expect(x.reshape([-1]).shape).toEqual([6]);
      expect(tensor([5]).reshape([]).shape).toEqual([]);
    });

    it.each([[[4]], [[4, -1]], [[-1, -1]], [[2, -2]], [[Number.NaN, 6]], [[0, -1]]])(
      'refuses to reshape 6 elements to %o',
      (shape) => {
        expect(() => arange(6).reshape(shape)).toThrow(ShapeError);
      },
    );

    it('converts types', () => {
      expect(tensor([1.7, -1.7]).astype('int32').dtype).toBe('int32');
      expect(tensor([1, 0], { dtype: 'int32' }).astype('float32').div(2).toArray()).toEqual([0.5, 0]);
      expect(() => tensor([1]).astype('double' as never)).toThrow(DTypeError);
    });

    it('copies where the type is the same already', () => {
      const x = tensor([1, 2]);
      const y = x.astype('float32');
      x.dispose();
      expect(y.toArray()).toEqual([1, 2]);
    });

    it('is its own copy on its own device', () => {
      const x = tensor([1]);
      expect(x.to(device)).toBe(x);
    });

    it('cannot have its shape changed', () => {
      expect(() => {
        (zeros([2]).shape as number[])[0] = 3;
      }).toThrow(TypeError);
    });
  });

  describe('disposal', () => {
    it('ends every use with a DisposedError', async () => {
      const x = tensor([1, 2]);
      x.dispose();
      x.dispose();
      expect(x.disposed).toBe(true);
      expect(() => x.dataSync()).toThrow(DisposedError);
      expect(() => x.add(1)).toThrow(DisposedError);
      expect(() => x.detach()).toThrow(DisposedError);
      expect(() => x.reshape([1, 2])).toThrow(DisposedError);
      await expect(x.data()).rejects.toThrow(DisposedError);
      expect(String(x)).toBe(`Tensor [2] float32 ${device} (disposed)`);
    });

    it('leaves other references to the values', () => {
      const x = tensor([1, 2]);
      const y = x.detach();
      const z = x.reshape([2, 1]);
      x.dispose();
      expect([y.toArray(), z.toArray()]).toEqual([
        [1, 2],
        [[1], [2]],
      ]);
    });

    it('is what Symbol.dispose does', () => {
      const x = tensor([1]);
      x[Symbol.dispose]();
      expect(x.disposed).toBe(true);
    });
  });

  describe('text', () => {
    it('shows head and values', () => {
      expect(
        String(
          tensor([
            [1, 2],
            [3, 0.5],
          ]),
        ),
      ).toBe(`Tensor [2, 2] float32 ${device}\n[[1, 2],\n [3, 0.50000]]`);
      expect(inspect(tensor(3))).toBe(`Tensor [] float32 ${device}\n3`);
      expect(String(tensor([]))).toBe(`Tensor [0] float32 ${device}\n[]`);
    });

    it('shortens long axes', () => {
      expect(String(arange(9))).toBe(`Tensor [9] float32 ${device}\n[0, 1, 2, ..., 6, 7, 8]`);
      expect(String(arange(8))).toBe(`Tensor [8] float32 ${device}\n[0, 1, 2, 3, 4, 5, 6, 7]`);
      expect(String(full([1000, 1000], 1)).length).toBeLessThan(400);
    });
  });
});
