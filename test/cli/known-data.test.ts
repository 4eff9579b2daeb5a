// residua train on CIFAR-10 and CIFAR-100 through the command: files of the real sizes and labels, with black images.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { temporaryFolder } from '../interop/temporary-folder.js';
import { residua } from './run-cli.js';
import { tinyEnv } from './tiny-run.js';

vi.setConfig({ testTimeout: 60_000 });

const folder = temporaryFolder();

/** [name, images, bytes of labels before the 3072 of pixels] */
type CifarFile = [name: string, images: number, labels: 1 | 2];

const batches = [...[1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`), 'test_batch.bin'];
const ten = batches.map((name): CifarFile => [name, 10_000, 1]);
const hundred: CifarFile[] = [
  ['train.bin', 50_000, 2],
  ['test.bin', 10_000, 2],
];

/** As many images of each class; the label is the last byte before the pixels. */
function cifarBytes(images: number, labels: number, classes: number): Uint8Array {
  const size = labels + 3072;
  const bytes = new Uint8Array(images * size);
  for (let row = 0; row < images; row++) bytes[row * size + labels - 1] = row % classes;
  return bytes;
}

test.each([
  ['cifar10', ten, 10],
  ['cifar100', hundred, 100],
] as const)('%s', async (name, files, classes) => {
  const [root, run] = [join(folder, name), join(folder, `run-${name}`)];
  mkdirSync(root);
  for (const [file, images, labels] of files) writeFileSync(join(root, file), cifarBytes(images, labels, classes));
  const known = ['--data', name, '--data-root', root, '--no-tune'];
  const args = [...known, '--limit', '60', '--epochs', '1', '--batch-size', '30', '--out', run];
  const trained = await residua(['train', ...args], { env: tinyEnv });
  expect(trained, trained.stderr).toMatchObject({ status: 0 });
  const history = JSON.parse(readFileSync(join(run, 'history.json'), 'utf8'));
  expect(history).toMatchObject({
    trainImages: 60,
    testImages: 12,
    net: { model: 'cifar-resnet20', inputShape: [3, 32, 32], classes },
    epochs: [{ validation: { images: 12, confusion: { length: classes } } }],
  });
  const evaluated = await residua(['eval', run, '--limit', '10', '--json'], { env: tinyEnv });
  expect(evaluated, evaluated.stderr).toMatchObject({ status: 0 });
  expect(JSON.parse(evaluated.stdout)).toMatchObject({ images: 10, perClass: { length: classes } });
});
