// Parameters: values, gradients, setData, options.
import { describe, expect, it } from 'vitest';
import { autograd, ConfigError, DTypeError, init, nn, ShapeError, tensor, zeros } from '../../lib/index.js';
import { onEachDevice } from '../helpers/on-each-device.js';

onEachDevice(() => {
  const make = (shape: number[], options: object = {}) => new nn.Parameter('p', { shape, ...options });

  describe('data and grad', () => {
    it('data is one tensor that wants gradients', () => {
      const p = make([2]);
      p.initialize();
      expect(p.data()).toBe(p.data());
      expect(p.data().requiresGrad).toBe(true);
    });
    it('grad is the gradient of the last backward', () => {
      const p = make([2], { init: new init.Constant(3) });
      p.initialize();
      expect(() => p.grad()).toThrow(/'p' has no gradient: call backward/);
      autograd
        .record(() =>
          p
            .data()
            .mul(tensor([1, 5]))
            .sum(),
        )
        .backward();
      expect([...p.grad().dataSync()]).toEqual([1, 5]);
    });
    it('without values both are a ConfigError', () => {
      expect(() => make([2]).data()).toThrow(ConfigError);
      expect(() => make([2]).grad()).toThrow(/initialize\(\)/);
      const deferred = make([2, 0]);
      deferred.initialize();
      expect(() => deferred.data()).toThrow(/the first forward tells/);
    });
    it('one that is not trainable gets no gradient', () => {
      const p = make([1]);
      p.initialize();
      p.trainable = false;
      expect(p.data().requiresGrad).toBe(false);
      expect(() => p.grad()).toThrow(/not trainable/);
      p.trainable = true;
      expect(p.data().requiresGrad).toBe(true);
    });
  });

  describe('setData', () => {
    it('copies in place, from tensors and typed arrays', () => {
      const p = make([2]);
      p.initialize();
      const data = p.data();
      const source = tensor([1, 2]);
      p.setData(source);
      source.dispose();
      expect([...p.data().dataSync()]).toEqual([1, 2]);
      p.setData(Int32Array.of(3, 4));
      expect([...p.data().dataSync()]).toEqual([3, 4]);
      expect(p.data()).toBe(data);
    });
    it('gives values and shape to a parameter without', () => {
      const p = make([2, 0]);
      const source = tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]);
      p.setData(source);
      source.dispose();
      expect(p.shape).toEqual([2, 3]);
      expect(p.data().requiresGrad).toBe(true);
      expect(p.data().toArray()).toEqual([
        [1, 2, 3],
        [4, 5, 6],
      ]);
      const q = make([2]);
      q.setData(Float32Array.of(7, 8));
      expect([...q.data().dataSync()]).toEqual([7, 8]);
    });
    it('converts other types to float32', () => {
      const p = make([2]);
      p.setData(tensor(Int32Array.of(1, 2)));
      expect(p.data().dtype).toBe('float32');
      p.setData(tensor(Int32Array.of(5, 6)));
      expect([...p.data().dataSync()]).toEqual([5, 6]);
    });
    it('refuses other shapes and other things', () => {
      const p = make([2, 2]);
      p.initialize({ init: new init.Constant(1) });
      expect(() => p.setData(zeros([4]))).toThrow(ShapeError);
      expect(() => p.setData(zeros([2, 3]))).toThrow(/'p' expected values of shape \[2, 2\], got \[2, 3\]/);
      expect(() => p.setData(Float32Array.of(1, 2, 3))).toThrow(ShapeError);
      expect(() => p.setData([1, 2, 3, 4] as unknown as Float32Array)).toThrow(DTypeError);
      expect(() => make([2, 0]).setData(Float32Array.of(1, 2))).toThrow(/not known yet/);
      expect([...p.data().dataSync()]).toEqual([1, 1, 1, 1]);
    });
  });

  describe('options', () => {
    it('are checked', () => {
      expect(() => make([-1])).toThrow(ShapeError);
      expect(() => make([1], { lrMult: -1 })).toThrow(/lrMult/);
      expect(() => make([1], { wdMult: Number.NaN })).toThrow(/wdMult/);
      expect(() => make([1], { trainable: 'yes' })).toThrow(/trainable/);
      expect(() => make([1], { initializer: 1 })).toThrow(/initializer/);
      expect(() => Object.assign(make([1]), { lrMult: Infinity })).toThrow(ConfigError);
    });
  });
});
