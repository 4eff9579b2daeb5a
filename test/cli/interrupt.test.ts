// Ctrl-C: the first press asks, one that arrives twice is still one, the second leaves.
import { afterEach, expect, test, vi } from 'vitest';
import { interruptible } from '../../lib/cli/interrupt.js';

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test('the first aborts the signal; the handlers are gone afterwards', async () => {
  const listeners = process.listenerCount('SIGINT');
  const onFirst = vi.fn();
  const aborted = await interruptible(
    async (signal) => {
      expect(signal.aborted).toBe(false);
      process.emit('SIGINT');
      return signal.aborted;
    },
    () => ({ onFirst, onSecond: () => {} }),
  );
  expect(aborted).toBe(true);
  expect(onFirst).toHaveBeenCalledOnce();
  expect(process.listenerCount('SIGINT')).toBe(listeners);
});

test('the second leaves at once with status 130, but not the echo of the first', async () => {
  vi.useFakeTimers();
  const exit = vi.spyOn(process, 'exit').mockImplementation((() => {}) as never);
  const onSecond = vi.fn(() => expect(exit).not.toHaveBeenCalled());
  await interruptible(
    async () => {
      process.emit('SIGINT');
      vi.advanceTimersByTime(20);
      process.emit('SIGINT');
      expect(exit).not.toHaveBeenCalled();
      vi.advanceTimersByTime(process.env.npm_lifecycle_event === undefined ? 60 : 600); // as fast as a person presses
      process.emit('SIGINT');
      expect(onSecond).toHaveBeenCalledOnce();
      expect(exit).toHaveBeenCalledWith(130);
    },
    () => ({ onFirst: () => {}, onSecond }),
  );
});

test('handlers are removed when the body fails', async () => {
  const listeners = process.listenerCount('SIGTERM');
  await expect(
    interruptible(
      () => Promise.reject(new Error('broken')),
      () => ({ onFirst: () => {}, onSecond: () => {} }),
    ),
  ).rejects.toThrow('broken');
  expect(process.listenerCount('SIGTERM')).toBe(listeners);
});
