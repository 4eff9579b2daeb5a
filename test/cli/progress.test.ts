// Progress: lines at intervals without a terminal, a bar on one.
import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { Progress, type ProgressStream } from '../../lib/cli/progress.js';
import { sayingWarnings } from '../../lib/cli/warnings.js';
import { screenOf } from './terminal-screen.js';

/** A stream that keeps what is written; the size makes cli-progress take it for a terminal. */
function sink(isTTY: boolean, columns = 120): { stream: ProgressStream; text: () => string } {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  return {
    stream: Object.assign(stream, { isTTY, columns, rows: 30 }) as unknown as ProgressStream,
    text: () => text,
  };
}

/** Runs `epochs` epochs of `batches` steps of 100 images, one step every `msPerStep`. */
function drive(progress: Progress, clock: { now: number }, epochs: number, batches: number, msPerStep: number): void {
  for (let epoch = 1; epoch <= epochs; epoch++) {
    for (let batch = 1; batch <= batches; batch++) {
      clock.now += msPerStep;
      const step = (epoch - 1) * batches + batch;
      const facts = { stepLoss: 0.6, loss: 0.5, accuracy: 0.8, learningRate: 0.1, images: 100, seconds: 0 };
      progress.step({ epoch, batch, batches, step, ...facts });
    }
  }
}

describe('without a terminal', () => {
  test('a line every ten seconds, with speed, loss, accuracy, learning rate, time left and memory', () => {
    const clock = { now: 0 };
    const { stream, text } = sink(false);
    const progress = new Progress(2, { stream, now: () => clock.now, memory: () => '2.0 GiB' });
    drive(progress, clock, 2, 20, 1000);
    const lines = text().trim().split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[0]).toBe('epoch 1/2, batch 10/20: 100 images/s, loss 0.500, acc 0.800, lr 0.1, 30 s left, 2.0 GiB');
    expect(lines[3]).toBe('epoch 2/2, batch 20/20: 100 images/s, loss 0.500, acc 0.800, lr 0.1, 0 s left, 2.0 GiB');
  });

  test('nothing for a short run', () => {
    const clock = { now: 0 };
    const { stream, text } = sink(false);
    drive(new Progress(1, { stream, now: () => clock.now }), clock, 1, 5, 100);
    expect(text()).toBe('');
  });
});

describe('speed', () => {
  test('is unknown before two steps of an epoch', () => {
    const clock = { now: 0 };
    const progress = new Progress(2, { stream: sink(false).stream, now: () => clock.now });
    expect(progress.imagesPerSecond).toBeUndefined();
    drive(progress, clock, 1, 1, 1000);
    expect(progress.imagesPerSecond).toBeUndefined();
  });

  test('is that of the last steps', () => {
    const clock = { now: 0 };
    const progress = new Progress(1, { stream: sink(false).stream, now: () => clock.now });
    drive(progress, clock, 1, 5, 8000); // slow at first
    drive(progress, clock, 1, 60, 50);
    expect(progress.imagesPerSecond).toBeCloseTo(2000);
  });
});

test('on a terminal: warnings and words have lines of their own above the bar, which is drawn again below', async () => {
  const clock = { now: 0 };
  const { stream, text } = sink(true);
  const progress = new Progress(1, { stream, now: () => clock.now });
  const say = (line: string): void => progress.interrupt(() => void stream.write(`${line}\n`));
  const bar = expect.stringMatching(/^epoch 1\/1 \u2588+\u2591* [12]\/3 {2}.*loss 0\.500, acc 0\.800/);
  const step = (batch: number): void => {
    clock.now += 1000;
    const facts = { stepLoss: 0.6, loss: 0.5, accuracy: 0.8, learningRate: 0.1, images: 100, seconds: 0 };
    progress.step({ epoch: 1, batch, batches: 3, step: batch, ...facts });
  };
  const listeners = process.listeners('warning');
  await sayingWarnings(say, async () => {
    say('before the bar');
    step(1);
    expect(screenOf(text())).toEqual(['before the bar', bar]);
    process.emitWarning('first.jpg is broken.', 'DataWarning');
    await new Promise((resolve) => setImmediate(resolve));
    expect(screenOf(text())).toEqual(['before the bar', 'warning: first.jpg is broken.', bar]);
    step(2);
    process.emitWarning('second.jpg is broken.', 'DataWarning'); // told in the next tick
  });
  const words = ['before the bar', 'warning: first.jpg is broken.', 'warning: second.jpg is broken.'];
  expect(screenOf(text())).toEqual([...words, bar]);
  progress.stop();
  say('after');
  expect(screenOf(text())).toEqual([...words, 'after', '']);
  expect(process.listeners('warning')).toEqual(listeners);
});

test('on a terminal: a bar, out of the way while lines are printed', () => {
  const clock = { now: 0 };
  const { stream, text } = sink(true);
  const progress = new Progress(2, { stream, now: () => clock.now });
  drive(progress, clock, 1, 3, 1000);
  expect(text()).toContain('epoch 1/2');
  expect(text()).toContain('1/3');
  let printed = false;
  progress.interrupt(() => {
    printed = true;
  });
  expect(printed).toBe(true);
  progress.stop(); // twice is harmless
});

describe('on a narrow terminal', () => {
  const whole =
    'epoch 1/1 \u2588\u2588\u2588\u2588\u2588\u2591\u2591\u2591\u2591\u2591 10/20  100 images/s, loss 0.500, acc 0.800, lr 0.1, 10 s left, 2.0 GiB';

  /** What the line is in a terminal of so many columns, in the middle of an epoch. */
  function lineOn(columns: number): string {
    const clock = { now: 0 };
    const { stream, text } = sink(true, columns);
    const progress = new Progress(1, { stream, now: () => clock.now, memory: () => '2.0 GiB' });
    const facts = { stepLoss: 0.6, loss: 0.5, accuracy: 0.8, learningRate: 0.1, images: 100, seconds: 0 };
    for (let batch = 1; batch <= 10; batch++) {
      clock.now += 1000;
      progress.step({ epoch: 1, batch, batches: 20, step: batch, ...facts });
    }
    progress.interrupt(() => {}); // draws it again with what is known now
    const line = screenOf(text()).at(-1) as string;
    progress.stop();
    return line;
  }

  test.each([
    [120, whole],
    [91, whole],
    [90, whole.replace(', 2.0 GiB', '')],
    [80, whole.replace(', lr 0.1', '').replace(', 2.0 GiB', '')],
    [
      72,
      'epoch 1/1 \u2588\u2588\u2588\u2588\u2591\u2591\u2591\u2591 10/20  100 images/s, loss 0.500, acc 0.800, 10 s left',
    ],
    [66, 'epoch 1/1 10/20  100 images/s, loss 0.500, acc 0.800, 10 s left'],
    [50, 'epoch 1/1 10/20  loss 0.500, acc 0.800, 10 s left'],
    [40, 'epoch 1/1 10/20  loss 0.500, 10 s left'],
    [20, 'epoch 1/1 \u2588\u2588\u2591\u2591 10/20'],
    [9, 'epoch 1/1'],
    [3, ''],
  ])('%i columns', (columns, line) => expect(lineOn(columns)).toBe(line));

  test('at every width the line fits, and its values are whole', () => {
    const values = (line: string): string[] => line.replace(/ [\u2588\u2591]+/, '').split(/ {2,}|, | (?=\d+\/)/);
    for (let columns = 9; columns <= 120; columns++) {
      const line = lineOn(columns);
      expect(line.length).toBeLessThanOrEqual(columns);
      for (const value of values(line)) expect(values(whole)).toContain(value);
    }
  });
});
