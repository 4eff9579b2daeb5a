// The worst mistakes against a plain search over all images, and their pixels against the data set's.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { cpu, data, nn, tensor, tidy } from '../../lib/index.js';
import { worstMistakes } from '../../lib/report/index.js';
import { onEachDevice } from '../helpers/on-each-device.js';
import { temporaryFolder } from '../interop/temporary-folder.js';

const [count, side, classes] = [40, 6, 4];
const folder = temporaryFolder();

/** Images of random bytes with labels that no net can know. */
function randomImages(channels: 1 | 3): data.Dataset {
  let state = 7;
  const next = (): number => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return state >>> 16;
  };
  const images = Uint8Array.from({ length: count * channels * side * side }, () => next() % 256);
  const labels = Uint8Array.from({ length: count }, () => next() % classes);
  return new data.ArrayDataset({ images, labels, shape: [channels, side, side] });
}

function smallNet(): nn.Block {
  const net = new nn.Sequential().add(new nn.Flatten(), new nn.Dense(classes));
  net.initialize();
  return net;
}

interface Guess {
  row: number;
  predicted: number;
  probability: number;
}

/** What the net makes of each image, one at a time, with the softmax in plain JavaScript. */
function guesses(net: nn.Block, { images, shape }: data.Dataset, mean: number[], std: number[]): Guess[] {
  const size = shape[0] * side * side;
  return Array.from({ length: count }, (_, row) => {
    const pixels = Float32Array.from(images.subarray(row * size, (row + 1) * size), (byte, i) => {
      const channel = Math.floor(i / (side * side));
      return (byte / 255 - mean[channel]!) / std[channel]!;
    });
    const scores = tidy(() => [...net.forward(tensor(pixels, { shape: [1, ...shape] })).dataSync()]);
    const sum = scores.reduce((all, score) => all + Math.exp(score), 0);
    const predicted = scores.indexOf(Math.max(...scores));
    return { row, predicted, probability: Math.exp(scores[predicted]!) / sum };
  });
}

onEachDevice((device) => {
  describe.each([
    { channels: 1 as const, mean: [0], std: [1], transform: [] },
    { channels: 1 as const, mean: [0.3], std: [0.25], transform: data.transforms.normalize([0.3], [0.25]) },
    {
      channels: 3 as const,
      mean: [0.5, 0.4, 0.3],
      std: [0.2, 0.3, 0.1],
      transform: data.transforms.normalize([0.5, 0.4, 0.3], [0.2, 0.3, 0.1]),
    },
  ])('$channels channels, mean $mean', ({ channels, mean, std, transform }) => {
    test('are those with the largest probabilities, as they were before normalisation', async () => {
      const images = randomImages(channels);
      const net = smallNet();
      const wrong = guesses(net, images, mean, std)
        .filter(({ row, predicted }) => predicted !== images.labels[row])
        .sort((a, b) => b.probability - a.probability);
      expect(wrong.length).toBeGreaterThan(10);
      const loader = new data.DataLoader(images, { batchSize: 7, transform });
      for (const asked of [5, count]) {
        const found = await worstMistakes(net, loader, asked, device);
        const expected = wrong.slice(0, asked);
        expect(found.map(({ predicted, actual }) => [predicted, actual])).toEqual(
          expected.map(({ row, predicted }) => [predicted, images.labels[row]]),
        );
        for (const [i, { probability, pixels, width, height, ...rest }] of found.entries()) {
          expect(probability).toBeCloseTo(expected[i]!.probability, 4);
          expect({ width, height, channels: rest.channels }).toEqual({ width: side, height: side, channels });
          const at = expected[i]!.row * channels * side * side;
          const interleaved = Array.from(pixels, (_, j) => {
            const [pixel, channel] = [Math.floor(j / channels), j % channels];
            return images.images[at + channel * side * side + pixel];
          });
          expect([...pixels]).toEqual(interleaved);
        }
      }
    });
  });

  test.each([false, true])('name their files, past broken ones (shuffled: %s)', async (shuffle) => {
    const root = mkdtempSync(join(folder, 'tree-'));
    for (const name of ['dark', 'light']) mkdirSync(join(root, name));
    for (let i = 0; i < 30; i++) {
      const image = sharp({ create: { width: side, height: side, channels: 3, background: { r: i, g: 2 * i, b: 0 } } });
      writeFileSync(
        join(root, i % 3 ? 'dark' : 'light', `${i}.png`),
        i % 4 === 1 ? 'broken' : await image.png().toBuffer(),
      );
    }
    const files = await data.imageFolder(root, { onBroken: () => {} });
    const loader = new data.DataLoader(files, { batchSize: 4, resize: side, shuffle, device });
    const net = {
      forward: ({ shape: [n] }: { shape: readonly number[] }) =>
        tensor(new Array(n).fill([0, 1]).flat(), { shape: [n!, 2] }),
    }; // always 'light'
    const found = await worstMistakes(net, loader, 100, device);
    expect(found.length).toBe(Array.from({ length: 30 }, (_, i) => i).filter((i) => i % 3 && i % 4 !== 1).length);
    for (const { file, pixels } of found) {
      const i = Number(basename(file!, '.png'));
      expect([...pixels.subarray(0, 3)]).toEqual([i, 2 * i, 0]);
    }
    await loader.dispose();
  });

  test('none of a net that is right, nor of scores that are NaN', async () => {
    const images = randomImages(1);
    const one = new data.ArrayDataset({ images: images.images, labels: new Uint8Array(count), shape: images.shape });
    const loader = new data.DataLoader(one, { batchSize: 7 });
    const net = (scores: number[]) => ({
      forward: (X: { shape: readonly number[] }) =>
        tensor(new Array(X.shape[0]).fill(scores).flat(), { shape: [X.shape[0]!, scores.length] }),
    });
    expect(await worstMistakes(net([3, 1]), loader, 5, device)).toEqual([]);
    expect(await worstMistakes(net([Number.NaN, 1]), loader, 5, device)).toEqual([]);
    expect(await worstMistakes(net([1, 3]), loader, 5, device)).toHaveLength(5);
  });
});

test('refuses arguments that are none', async () => {
  const loader = new data.DataLoader(randomImages(1), { batchSize: 7 });
  await expect(worstMistakes(smallNet(), loader, 0, cpu())).rejects.toThrow(/count/);
  await expect(worstMistakes(smallNet(), loader, 5, 'cpu' as never)).rejects.toThrow(/Device/);
});
