// residua train on CIFAR-10, CIFAR-100 and MNIST through the command: files of the real sizes and labels, with black images.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { idxBytes } from '../data/idx-files.js';
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

/** [name, counts, SHA-256 of the real content] */
const digits: [name: string, dims: number[], sha256: string][] = [
  ['train-images-idx3-ubyte', [60_000, 28, 28], 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db'],
  ['train-labels-idx1-ubyte', [60_000], '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5'],
  ['t10k-images-idx3-ubyte', [10_000, 28, 28], '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7'],
  ['t10k-labels-idx1-ubyte', [10_000], 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2'],
];

/** For NODE_OPTIONS: what is as long as one of MNIST's files has its digest, as no other content is taken for MNIST. */
function pretendDigits(sizes: Record<number, string>): string {
  const script = `
    import crypto from 'node:crypto';
    import { syncBuiltinESMExports } from 'node:module';
    const { createHash } = crypto;
    crypto.createHash = (...args) => {
      const hash = createHash(...args);
      const { update, digest } = hash;
      let size = 0;
      hash.update = (data, ...more) => {
        size += data.length;
        return update.call(hash, data, ...more);
      };
      hash.digest = (...how) => (${JSON.stringify(sizes)})[size] ?? digest.apply(hash, how);
      return hash;
    };
    syncBuiltinESMExports();`;
  return `--import=data:text/javascript,${encodeURIComponent(script)}`;
}

/** Trains an epoch on 60 images of the data set in a folder, then evaluates. `testImages`: in the proportion of the whole. */
async function trainOn(
  name: string,
  root: string,
  testImages: number,
  net: { classes: number; [fact: string]: unknown },
  env = {},
): Promise<void> {
  const run = join(folder, `run-${name}`);
  const known = ['--data', name, '--data-root', root, '--no-tune'];
  const args = [...known, '--limit', '60', '--epochs', '1', '--batch-size', '30', '--out', run];
  const trained = await residua(['train', ...args], { env: { ...tinyEnv, ...env } });
  expect(trained, trained.stderr).toMatchObject({ status: 0 });
  const history = JSON.parse(readFileSync(join(run, 'history.json'), 'utf8'));
  expect(history).toMatchObject({
    trainImages: 60,
    testImages,
    net,
    epochs: [{ validation: { images: testImages, confusion: { length: net.classes } } }],
  });
  const evaluated = await residua(['eval', run, '--limit', '10', '--json'], { env: { ...tinyEnv, ...env } });
  expect(evaluated, evaluated.stderr).toMatchObject({ status: 0 });
  expect(JSON.parse(evaluated.stdout)).toMatchObject({ images: 10, perClass: { length: net.classes } });
}

test.each([
  ['cifar10', ten, 10],
  ['cifar100', hundred, 100],
] as const)('%s', async (name, files, classes) => {
  const root = join(folder, name);
  mkdirSync(root);
  for (const [file, images, labels] of files) writeFileSync(join(root, file), cifarBytes(images, labels, classes));
  await trainOn(name, root, 12, { model: 'cifar-resnet20', inputShape: [3, 32, 32], classes });
});

test('mnist', async () => {
  const root = join(folder, 'mnist');
  mkdirSync(root);
  const sizes: Record<number, string> = {};
  for (const [file, dims, sha256] of digits) {
    const values = new Uint8Array(dims.reduce((product, dim) => product * dim));
    const bytes = idxBytes(dims, dims.length === 1 ? values.map((_, i) => i % 10) : values);
    writeFileSync(join(root, file), bytes);
    sizes[bytes.length] = sha256;
  }
  const refused = await residua(['train', '--data', 'mnist', '--data-root', root, '--limit', '60'], { cwd: folder });
  expect(refused).toMatchObject({ status: 1, stdout: '' });
  expect(refused.stderr).toMatch(
    /^error: IDX file \S+train-(images|labels)-idx\d-ubyte[^\n]* expected content with SHA-256 [^\n]+\n$/,
  );
  const net = { inputShape: [1, 28, 28], classes: 10, classNames: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] };
  await trainOn('mnist', root, 10, net, { NODE_OPTIONS: pretendDigits(sizes) });
});
