// The means and standard deviations of data sets in the config, computed from their images where these are here.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { normalizations } from '../../lib/config/image-transforms.js';
import { fashionMnist, fashionMnistFolders } from '../../lib/data/index.js';
import { synthetic } from '../../lib/data/synthetic.js';

/** Of one channel of all images, divided by 255. images: [length, channels, height, width] */
function statistics(images: Uint8Array, channel: number, channels: number, pixels: number) {
  let [sum, squares, count] = [0, 0, 0];
  for (let plane = channel; (plane + 1) * pixels <= images.length; plane += channels)
    for (const value of images.subarray(plane * pixels, (plane + 1) * pixels)) {
      sum += value / 255;
      squares += (value / 255) ** 2;
      count += 1;
    }
  return { mean: sum / count, std: Math.sqrt(squares / count - (sum / count) ** 2) };
}

const installed = fashionMnistFolders().some((folder) =>
  ['', '.gz'].some((end) => existsSync(join(folder, `train-images-idx3-ubyte${end}`))),
);

test.skipIf(!installed)('Fashion-MNIST', async () => {
  const { images } = await fashionMnist({ train: true });
  const { mean, std } = statistics(images, 0, 1, 28 * 28);
  expect(normalizations['fashion-mnist']?.mean[0]).toBeCloseTo(mean, 4);
  expect(normalizations['fashion-mnist']?.std[0]).toBeCloseTo(std, 4);
});

test('synthetic images', () => {
  const { images } = synthetic({ length: 1280, shape: [3, 32, 32] });
  for (const channel of [0, 1, 2]) {
    const { mean, std } = statistics(images, channel, 3, 32 * 32);
    expect(normalizations.synthetic?.mean[channel]).toBeCloseTo(mean, 2);
    expect(normalizations.synthetic?.std[channel]).toBeCloseTo(std, 2);
  }
});
