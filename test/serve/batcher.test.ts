// The batcher alone: what runs together, when, and what becomes of images nobody waits for or whose batch fails.
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Batcher, type BatcherOptions } from '../../lib/serve/batcher.js';
import { batchSizesUpTo } from '../../lib/serve/image-classifier.js';

const never = new AbortController().signal;

/** Images are one byte, v; the net says [v, 10 v]. Batches are noted, and end when they are let go. */
function batcherFor(options: Partial<BatcherOptions> = {}) {
  const batches: number[][] = [];
  const running: (() => void)[] = [];
  const batcher = new Batcher({
    classify: async (pixels) => {
      batches.push([...pixels]);
      await new Promise<void>((resolve) => running.push(resolve));
      if (pixels.includes(99)) throw new Error('no such picture');
      return Float32Array.from([...pixels].flatMap((v) => [v, 10 * v]));
    },
    maxBatch: 3,
    maxDelay: 60_000,
    expected: () => Number.POSITIVE_INFINITY,
    ...options,
  });
  const ask = (value: number, signal = never): Promise<number[]> =>
    batcher.classify(Uint8Array.of(value), signal).then((row) => [...row]);
  const letGo = async (): Promise<void> => {
    while (running.length === 0) await delay(1);
    running.shift()?.();
  };
  return { batcher, batches, ask, letGo };
}

test('a full batch begins at once; what comes meanwhile is the next one; each gets its own row', async () => {
  const { batcher, batches, ask, letGo } = batcherFor();
  const first = [1, 2, 3, 4].map((value) => ask(value));
  expect({ batches, waiting: batcher.length }).toEqual({ batches: [[1, 2, 3]], waiting: 1 });
  const second = [5, 6].map((value) => ask(value));
  expect(batches).toHaveLength(1); // one at a time
  await letGo();
  await letGo();
  expect(await Promise.all([...first, ...second])).toEqual([1, 2, 3, 4, 5, 6].map((v) => [v, 10 * v]));
  expect(batches).toEqual([
    [1, 2, 3],
    [4, 5, 6],
  ]);
});

test('one that nobody joins begins after the delay', async () => {
  const { batches, ask, letGo } = batcherFor({ maxDelay: 20 });
  const answer = ask(7);
  expect(batches).toEqual([]);
  await letGo();
  expect(await answer).toEqual([7, 70]);
});

test('nothing is waited for once all that is expected waits', async () => {
  const { batches, ask, letGo } = batcherFor({ expected: () => 2 });
  const answers = [ask(1)];
  expect(batches).toEqual([]);
  answers.push(ask(2));
  expect(batches).toEqual([[1, 2]]);
  await letGo();
  await Promise.all(answers);
});

test('images whose requests are gone do not run', async () => {
  const { batches, ask, letGo } = batcherFor();
  const gone = new AbortController();
  const answers = [ask(1), ask(2, gone.signal)];
  gone.abort(new Error('gone'));
  answers.push(ask(3));
  await expect(answers[1]).rejects.toThrow('gone');
  await letGo();
  expect(await answers[0]).toEqual([1, 10]);
  expect(batches).toEqual([[1, 3]]);
});

test('a batch that fails takes no other with it', async () => {
  const { batcher, ask, letGo } = batcherFor();
  const failing = Promise.allSettled([ask(99), ask(1), ask(2)]);
  const next = [3, 4, 5].map((value) => ask(value));
  await letGo();
  expect((await failing).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  let idle = false;
  const whenIdle = batcher.idle().then(() => {
    idle = true;
  });
  await delay(5);
  expect(idle).toBe(false);
  await letGo();
  expect(await Promise.all(next)).toEqual([3, 4, 5].map((v) => [v, 10 * v]));
  await whenIdle;
});

test.each([
  [1, [1]],
  [8, [1, 2, 4, 8]],
  [12, [1, 2, 4, 8, 12]],
])('sizes of batches up to %i', (most, sizes) => {
  expect(batchSizesUpTo(most)).toEqual(sizes);
});
