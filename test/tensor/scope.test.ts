// Memory scopes and live counts.
import { beforeEach, describe, expect, it } from 'vitest';
import { backendOf, cpu } from '../../lib/device.js';
import { ConfigError } from '../../lib/errors.js';
import { tensor, zeros } from '../../lib/tensor/create.js';
import { memory } from '../../lib/tensor/memory.js';
import { tidy, untracked } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { onEachDevice } from '../helpers/on-each-device.js';

onEachDevice(() => {
  /** Live tensors when all work is done. */
  function live(): number {
    backendOf(cpu()).synchronize();
    return memory().tensors;
  }

  let before = 0;
  beforeEach(() => {
    before = live();
  });

  describe('memory', () => {
    it('counts live tensors and their bytes', () => {
      const { bytes } = memory();
      const x = zeros([4, 8]);
      expect(live()).toBe(before + 1);
      expect(memory().bytes - bytes).toBeGreaterThanOrEqual(4 * 8 * 4);
      expect(memory().peakBytes).toBeGreaterThanOrEqual(memory().bytes);
      x.dispose();
      expect([live(), memory().bytes]).toEqual([before, bytes]);
    });

    it('counts shared values once', () => {
      const x = zeros([4]);
      const y = x.detach();
      const z = x.reshape([2, 2]);
      expect(live()).toBe(before + 1);
      for (const t of [x, y, z]) t.dispose();
      expect(live()).toBe(before);
    });

    it('does not count the scalars of arithmetic', () => {
      const x = zeros([4]);
      const y = x.add(1).dispose();
      expect([y, live()]).toEqual([undefined, before + 1]);
      x.dispose();
    });
  });

  describe('tidy', () => {
    it('keeps what is returned and disposes the rest', () => {
      let inner: Tensor | undefined;
      const kept = tidy(() => {
        inner = tensor([1]);
        return inner.add(1);
      });
      expect([inner?.disposed, kept.disposed, live()]).toEqual([true, false, before + 1]);
      kept.dispose();
    });

    it('searches arrays, maps, sets and plain objects', () => {
      const kept = tidy(() => {
        zeros([1]);
        const [a, b, c, d] = [zeros([1]), zeros([1]), zeros([1]), zeros([1])];
        return { list: [a, [b]], map: new Map([['c', c]]), set: new Set([d]), none: null };
      });
      expect(live()).toBe(before + 4);
      const [a, [b]] = kept.list as [Tensor, [Tensor]];
      for (const t of [a, b, ...kept.map.values(), ...kept.set]) t.dispose();
      expect(live()).toBe(before);
    });

    it('hands what is returned to the scope around it', () => {
      tidy(() => {
        tidy(() => zeros([1]));
        expect(live()).toBe(before + 1);
      });
      expect(live()).toBe(before);
    });

    it('leaves tensors from outside alone, returned or not', () => {
      const x = zeros([1]);
      expect(tidy(() => x)).toBe(x);
      tidy(() => x.add(1));
      expect(x.disposed).toBe(false);
      x.dispose();
    });

    it('disposes everything when the function throws', () => {
      expect(() =>
        tidy(() => {
          zeros([1]);
          tidy(() => {
            zeros([1]);
            throw new RangeError('mine');
          });
        }),
      ).toThrow(new RangeError('mine'));
      expect(live()).toBe(before);
      const x = zeros([1]);
      expect(live()).toBe(before + 1); // no scope is left open
      x.dispose();
    });

    it('refuses async functions', () => {
      expect(() => tidy(async () => zeros([1]))).toThrow(ConfigError);
      expect(live()).toBe(before);
    });

    it('keeps gradients with their tensors', () => {
      const x = tidy(() => {
        const leaf = zeros([1]);
        leaf.grad = zeros([1]);
        return leaf;
      });
      expect(x.grad?.disposed).toBe(false);
      x.dispose();
      expect(live()).toBe(before);
    });

    it('keeps a gradient that is returned without its tensor', () => {
      const grad = tidy(() => {
        const leaf = zeros([1]);
        leaf.grad = zeros([1]);
        return leaf.grad;
      });
      expect([grad.disposed, live()]).toEqual([false, before + 1]);
      grad.dispose();
    });
  });

  describe('untracked', () => {
    it('makes tensors that no scope disposes', () => {
      let outside: Tensor | undefined;
      tidy(() => {
        outside = untracked(() => tidy(() => zeros([1]).add(1)));
        untracked(() => {
          tidy(() => zeros([1])).dispose();
        });
      });
      expect([outside?.disposed, live()]).toEqual([false, before + 1]);
      outside?.dispose();
    });
  });
});
