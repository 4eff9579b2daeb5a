// residua predict with PyTorch's file of a ResNet-18, class names and a photo: the classes that the net gives for the photo's pixels.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test, vi } from 'vitest';
import { interop, models, seed, tensor, tidy } from '../../lib/index.js';
import { readSafetensors } from '../helpers/safetensors.js';
import { uniformValues } from '../helpers/values.js';
import { stateDictFile } from '../interop/hand-made-archives.js';
import { randomizeNorms } from '../interop/random-norms.js';
import { temporaryFolder } from '../interop/temporary-folder.js';
import { residua } from './run-cli.js';

vi.setConfig({ testTimeout: 120_000 });

const folder = temporaryFolder();
const names = ['tench', 'goldfish', 'white shark', 'hen', 'magpie'];
const [mean, std] = [
  [0.485, 0.456, 0.406],
  [0.229, 0.224, 0.225],
];

/** A photo of 256 by 256 pixels: patches of 16 by 16. Returns its middle as a JPEG decoder sees it, normalised: [1, 3, 224, 224]. */
async function photo(file: string): Promise<Float32Array> {
  const patches = Uint8Array.from(uniformValues(16 * 16 * 3, 5, 120, 128));
  await sharp(patches, { raw: { width: 16, height: 16, channels: 3 } })
    .resize(256, 256, { kernel: 'nearest' })
    .jpeg({ quality: 95 })
    .toFile(file);
  const bytes = await sharp(file).raw().toBuffer(); // [256, 256, 3]
  return Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => {
    const [channel, y, x] = [Math.floor(i / 224 ** 2), Math.floor(i / 224) % 224, i % 224];
    const byte = bytes[((y + 16) * 256 + x + 16) * 3 + channel] as number;
    return (byte / 255 - (mean[channel] as number)) / (std[channel] as number);
  });
}

test('resnet18 from a .pth', async () => {
  seed(6);
  const net = models.resnet18({ classes: names.length });
  net.initialize();
  randomizeNorms(net);
  const [weights, classes, image] = [join(folder, 'r18.pth'), join(folder, 'names.txt'), join(folder, 'photo.jpg')];
  await interop.saveWeights(net, join(folder, 'r18.safetensors'), { names: 'torchvision' });
  writeFileSync(weights, stateDictFile((await readSafetensors(join(folder, 'r18.safetensors'))).tensors));
  rmSync(join(folder, 'r18.safetensors'));
  writeFileSync(classes, `${names.join('\n')}\n`);
  const pixels = await photo(image);

  const args = ['predict', '--model', 'resnet18', '--weights', weights, '--classes', classes, '--top', '5', image];
  const { status, stdout, stderr } = await residua([...args, '--json']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const found = JSON.parse(stdout) as { file: string; classes: { name: string; probability: number }[] };
  const input = tensor(pixels, { shape: [1, 3, 224, 224] });
  const expected = tidy(() => [...net.forward(input).softmax(1).dataSync()]);
  const order = names.map((name, i) => ({ name, probability: expected[i] as number }));
  order.sort((a, b) => b.probability - a.probability);
  expect(found.file).toBe(image);
  expect(found.classes.map(({ name }) => name)).toEqual(order.map(({ name }) => name));
  for (const [i, { probability }] of order.entries())
    expect(Math.abs((found.classes[i]?.probability as number) - probability)).toBeLessThan(1e-4);
  expect((order[0]?.probability as number) - (order[4]?.probability as number)).toBeGreaterThan(0.1);
});
