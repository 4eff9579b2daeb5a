// record, pause and backward: modes, leaves, sums, errors.
import { describe, expect, it } from 'vitest';
import { autograd } from '../../lib/autograd/index.js';
import { ConfigError, DisposedError, DTypeError, ShapeError } from '../../lib/errors.js';
import * as ops from '../../lib/ops/index.js';
import { tensor } from '../../lib/tensor/create.js';
import type { NestedArray } from '../../lib/tensor/format.js';
import { tidy } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { onEachDevice } from '../helpers/on-each-device.js';

onEachDevice(() => {
  const { record, pause, isRecording, isTraining } = autograd;

  function leaf(values: number | NestedArray): Tensor {
    const t = tensor(values);
    t.requiresGrad = true;
    return t;
  }

  describe('modes', () => {
    const modes = () => [isRecording(), isTraining()];

    it('nest and come back', () => {
      expect(modes()).toEqual([false, false]);
      record(() => {
        expect(modes()).toEqual([true, true]);
        pause(() => expect(modes()).toEqual([false, false]));
        pause(() => expect(modes()).toEqual([false, true]), { training: true });
        record(() => expect(modes()).toEqual([true, false]), { training: false });
        expect(modes()).toEqual([true, true]);
      });
      expect(modes()).toEqual([false, false]);
    });

    it('come back after an exception', () => {
      expect(() => record(() => pause(() => ops.relu('x' as never)))).toThrow(ConfigError);
      expect(modes()).toEqual([false, false]);
    });

    it('return what the function returns', () => {
      expect(record(() => 'a')).toBe('a');
      expect(pause(() => 1)).toBe(1);
    });
  });

  describe('backward', () => {
    it('computes d(sum(2 x^2))/dx = 4 x', () => {
      const x = leaf([0, 1, 2, 3]);
      const y = record(() => x.mul(x).mul(2).sum());
      y.backward();
      expect(x.grad?.toArray()).toEqual([0, 4, 8, 12]);
      expect(x.grad?.shape).toEqual([4]);
    });

    it('starts from ones, or from the head gradient', () => {
      const x = leaf([1, 2]);
      record(() => x.mul(3)).backward();
      expect(x.grad?.toArray()).toEqual([3, 3]);
      record(() => x.mul(3)).backward(tensor([10, 0.5]));
      expect(x.grad?.toArray()).toEqual([30, 1.5]);
    });

    it('replaces an older gradient', () => {
      const x = leaf([1]);
      record(() => x.mul(3)).backward();
      const older = x.grad;
      record(() => x.mul(5)).backward();
      expect([x.grad?.toArray(), older?.disposed]).toEqual([[5], true]);
    });

    it('sums over every use of a tensor', () => {
      const x = leaf([2]);
      record(() => x.add(x).add(x.mul(x)).sub(x)).backward(); // d(x + x^2)/dx = 1 + 2 x
      expect(x.grad?.toArray()).toEqual([5]);
    });

    it('sums over every use of an intermediate tensor', () => {
      const x = leaf([3]);
      record(() => {
        const y = x.mul(2);
        return ops.add(ops.mul(y, y), y); // 4 x^2 + 2 x
      }).backward();
      expect(x.grad?.toArray()).toEqual([26]);
    });

    it('reaches every leaf, and only leaves', () => {
      const [a, b, constant] = [leaf([2]), leaf([5]), tensor([7])];
      const y = record(() => a.mul(b).add(constant));
      y.backward();
      expect([a.grad?.toArray(), b.grad?.toArray(), constant.grad, y.grad]).toEqual([[5], [2], null, null]);
    });

    it('stops at detach, pause, and ops without a gradient', () => {
      const x = leaf([1, 3]);
      record(() => {
        const whole = x.mul(x.detach()).add(pause(() => x.mul(100)));
        for (const none of [
          x.argmax(),
          x.equal(1),
          x.astype('int32'),
          ops.resizeBilinear(x.reshape([1, 1, 1, 2]), { size: 2 }),
        ]) {
          expect(none.node).toBeNull();
        }
        return whole;
      }).backward();
      expect(x.grad?.toArray()).toEqual([1, 3]);
    });

    it('runs inside record and inside tidy', () => {
      const x = leaf([4]);
      tidy(() => record(() => x.mul(x).backward()));
      expect([x.grad?.toArray(), isRecording()]).toEqual([[8], false]);
    });

    it('gives each leaf a gradient of its own memory', () => {
      const [a, b] = [leaf([1, 2]), leaf([3, 4])];
      const head = tensor([1, 1]);
      record(() => a.add(b)).backward(head);
      ops.assign(a.grad as Tensor, tensor([9, 9]));
      expect([b.grad?.toArray(), head.toArray()]).toEqual([
        [1, 1],
        [1, 1],
      ]);
    });

    it('skips leaves that were disposed', () => {
      const [a, b] = [leaf([1]), leaf([3])];
      const y = record(() => a.mul(b));
      a.dispose();
      y.backward();
      expect([a.grad, b.grad?.toArray()]).toEqual([null, [1]]);
    });

    it('goes through long chains', () => {
      const x = leaf([1]);
      const y = record(() => {
        let sum = x.add(0);
        for (let i = 0; i < 5000; i++) sum = sum.add(x);
        return sum;
      });
      y.backward();
      expect(x.grad?.toArray()).toEqual([5001]);
    });
  });

  describe('the tape', () => {
    it('is released by backward: a second one throws', () => {
      const x = leaf([1]);
      const y = record(() => x.mul(x));
      y.backward();
      expect(() => y.backward()).toThrow(ConfigError);
      expect(() => y.backward()).toThrow("backward() went through 'mul' a second time");
      expect(x.grad?.toArray()).toEqual([2]);
    });

    it('is kept by retainGraph', () => {
      const x = leaf([1]);
      const y = record(() => x.mul(x));
      y.backward(undefined, { retainGraph: true });
      y.backward(tensor([10]));
      expect(x.grad?.toArray()).toEqual([20]);
      expect(() => y.backward()).toThrow(ConfigError);
    });

    it('is released as far as the pass went: a second head that shares a part throws and changes nothing', () => {
      const x = leaf([2]);
      const [a, b] = record(() => {
        const shared = x.mul(x);
        return [shared.mul(3), shared.mul(5)] as const;
      });
      a.backward();
      expect(() => b.backward()).toThrow(ConfigError);
      expect(x.grad?.toArray()).toEqual([12]);
    });

    it('serves both heads with retainGraph', () => {
      const x = leaf([2]);
      const [a, b] = record(() => {
        const shared = x.mul(x);
        return [shared.mul(3), shared.mul(5)] as const;
      });
      a.backward(undefined, { retainGraph: true });
      expect(x.grad?.toArray()).toEqual([12]);
      b.backward();
      expect(x.grad?.toArray()).toEqual([20]);
    });

    it('notices values that were updated in place since', () => {
      const [x, w] = [leaf([2]), leaf([3])];
      const y = record(() => x.mul(w));
      ops.assign(w, tensor([100]));
      expect(() => y.backward()).toThrow(ConfigError);
      expect(() => y.backward()).toThrow('updated in place');
    });

    it('does not mind updates of values that no gradient needs', () => {
      const [x, w] = [leaf([2]), leaf([3])];
      const y = record(() => x.add(w));
      ops.assign(w, tensor([100]));
      y.backward();
      expect(w.grad?.toArray()).toEqual([1]);
    });
  });

  describe('bad use', () => {
    const x = leaf([1, 2]);

    it('refuses a head without history', () => {
      expect(() => x.backward()).toThrow(ConfigError);
      expect(() => x.mul(2).backward()).toThrow('got one without history');
      expect(() => record(() => tensor([1]).mul(2)).backward()).toThrow(ConfigError);
    });

    it('refuses a head that was disposed', () => {
      const y = record(() => x.mul(2));
      y.dispose();
      expect(() => y.backward()).toThrow(DisposedError);
    });

    it('refuses a head gradient of another shape, type or kind', () => {
      const y = record(() => x.mul(2));
      expect(() => y.backward(tensor([1]))).toThrow('backward() expected a head gradient of shape [2], got [1].');
      expect(() => y.backward(tensor([1]))).toThrow(ShapeError);
      expect(() => y.backward(tensor([1, 1], { dtype: 'int32' }))).toThrow(DTypeError);
      expect(() => y.backward(1 as never)).toThrow(ConfigError);
      y.backward();
      expect(x.grad?.toArray()).toEqual([2, 2]);
    });

    it('refuses requiresGrad on integers and on results of recorded ops', () => {
      expect(() => {
        tensor([1], { dtype: 'int32' }).requiresGrad = true;
      }).toThrow(DTypeError);
      const y = record(() => x.mul(2));
      expect(() => {
        y.requiresGrad = true;
      }).toThrow(ConfigError);
    });

    it('refuses to write into results of recorded ops', () => {
      const y = record(() => x.mul(2));
      expect(() => ops.assign(y, x)).toThrow(ConfigError);
    });
  });
});
