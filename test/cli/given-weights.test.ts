// What is assumed of a net that comes as weights and a name: image sizes and normalisation by custom, the rest from the file.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { netOf } from '../../lib/cli/build-net.js';
import { recordOfWeights } from '../../lib/cli/given-weights.js';
import { interop, models, zeros } from '../../lib/index.js';
import { temporaryFolder } from '../interop/temporary-folder.js';

const folder = temporaryFolder();

async function weightsOf(name: string, options: models.ResNetOptions): Promise<string> {
  const net = models.byName(name, options);
  net.initialize();
  if (name.startsWith('chapter')) net.forward(zeros([1, 3, 28, 28])).dispose();
  const file = join(folder, `${name}.safetensors`);
  await interop.saveWeights(net, file);
  return file;
}

test("a net of ImageNet: 224 pixels of 256, ImageNet's normalisation", async () => {
  const file = await weightsOf('resnet18', { classes: 5 });
  expect(await recordOfWeights(file, 'resnet18', {})).toEqual({
    model: 'resnet18',
    classes: 5,
    inputShape: [3, 224, 224],
    resize: 256,
    classNames: [],
    normalization: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  });
  expect(await recordOfWeights(file, 'resnet18', { size: 112 })).toMatchObject({
    inputShape: [3, 112, 112],
    resize: 128,
  });
});

test('a grey one has no customary normalisation', async () => {
  const file = await weightsOf('resnet18-v2', { classes: 5, inChannels: 1 });
  const record = await recordOfWeights(file, 'resnet18-v2', {});
  expect(record).toMatchObject({ inputShape: [1, 224, 224], normalization: undefined });
  await expect(interop.loadWeights(netOf(record), file)).resolves.toMatchObject({ missing: [], leftOver: [] });
});

test("nets of CIFAR and the chapter's: all of the image, no normalisation", async () => {
  const cifar = await recordOfWeights(await weightsOf('cifar-resnet20', {}), 'cifar-resnet20', {});
  expect(cifar).toMatchObject({ classes: 10, inputShape: [3, 32, 32], resize: 32, normalization: undefined });
  const file = await weightsOf('chapter-resnet18', { classes: 3 });
  const chapter = await recordOfWeights(file, 'chapter-resnet18', {});
  expect(chapter).toMatchObject({ classes: 3, inputShape: [3, 28, 28], resize: 28 });
  await expect(interop.loadWeights(netOf(chapter), file)).resolves.toMatchObject({ missing: [], leftOver: [] });
});

test("a net with CIFAR's stem under a name that stands for ImageNet's", async () => {
  const file = await weightsOf('resnet18', { classes: 5, stem: 'cifar' });
  const record = await recordOfWeights(file, 'resnet18', {});
  expect(record).toMatchObject({ stem: 'cifar', inputShape: [3, 32, 32], resize: 32, normalization: undefined });
  await expect(interop.loadWeights(netOf(record), file)).resolves.toMatchObject({ missing: [], leftOver: [] });
});
