// DataLoader over image files: sizes, decoding together with resizing, broken files, normalisation.
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { DataLoader, decodeImage, ImageFiles, imageFolder, transforms } from '../../lib/data/index.js';
import { makeSamples, type SampleJob } from '../../lib/data/sample.js';
import { fixedSize, type Transform } from '../../lib/data/transforms/transform.js';
import { onEachDevice } from '../helpers/on-each-device.js';
import { rejection, temporaryFolder } from './idx-files.js';
import { gradient } from './image-bytes.js';
import { type ImageTree, writeImageTree } from './image-tree.js';

const folder = temporaryFolder();
let tree: ImageTree;

beforeAll(async () => {
  tree = await writeImageTree(join(folder.path(), 'tree'));
});

/** Shapes of X, and labels, of each batch. */
async function batchesOf(loader: DataLoader<ImageFiles>): Promise<{ shape: readonly number[]; labels: number[] }[]> {
  const batches = [];
  for await (const [X, y] of loader) {
    batches.push({ shape: X.shape, labels: [...(await y.data())] });
    X.dispose();
    y.dispose();
  }
  return batches;
}

onEachDevice(() => {
  test('broken files are left out of their batches, the same ones each epoch', async () => {
    const dataset = await imageFolder(tree.root, { onBroken: () => {} });
    const loader = new DataLoader(dataset, { batchSize: 4, resize: [9, 11] });
    for (let epoch = 0; epoch < 2; epoch++) {
      expect(await batchesOf(loader)).toEqual([
        { shape: [4, 3, 9, 11], labels: [0, 0, 0, 0] },
        { shape: [2, 3, 9, 11], labels: [0, 1] },
        { shape: [4, 3, 9, 11], labels: [1, 1, 1, 2] },
        { shape: [2, 3, 9, 11], labels: [2, 2] },
      ]);
    }
    expect(dataset.broken.map(({ file }) => file)).toEqual(tree.broken);
  });

  test('a batch of broken files alone is passed over; an epoch of them is an error', async () => {
    const dataset = (await imageFolder(tree.root, { onBroken: () => {} })).subset([0, 4, 5, 6]);
    const batches = await batchesOf(new DataLoader(dataset, { batchSize: 1, resize: 4 }));
    expect(batches.map(({ labels }) => labels)).toEqual([[0], [0]]);
    const error = await rejection(batchesOf(new DataLoader(dataset.subset([1, 2]), { batchSize: 2, resize: 4 })));
    expect(error).toMatchObject({ code: 'DATA_ERROR', message: expect.stringMatching(/none of the 2 files/) });
  });

  test('a broken file ends the epoch where it is fatal', async () => {
    const loader = new DataLoader(await imageFolder(tree.root), { batchSize: 3, resize: 4 });
    expect(await rejection(batchesOf(loader))).toMatchObject({ code: 'DATA_ERROR', details: { file: tree.broken[0] } });
  });

  test('are pixels divided by 255, and normalised where asked', async () => {
    const dataset = (await imageFolder(tree.root)).subset([6]); // one pixel of 200, 100, 50
    for await (const [X] of new DataLoader(dataset, { batchSize: 1, resize: 1 }))
      expect([...(await X.data())].map((value) => value * 255)).toEqual(
        [200, 100, 50].map((v) => expect.closeTo(v, 3)),
      );
    const normalize = transforms.normalize([0.1, 0.2, 0.3], [0.5, 0.25, 2]);
    for await (const [X] of new DataLoader(dataset, { batchSize: 1, resize: 1, transform: normalize })) {
      const expected = [(200 / 255 - 0.1) / 0.5, (100 / 255 - 0.2) / 0.25, (50 / 255 - 0.3) / 2];
      expect([...(await X.data())]).toEqual(expected.map((value) => expect.closeTo(value, 5)));
    }
  });

  test('of one channel', async () => {
    const dataset = (await imageFolder(tree.root, { channels: 1 })).subset([0, 2]);
    expect((await batchesOf(new DataLoader(dataset, { batchSize: 2, resize: 5 })))[0]?.shape).toEqual([2, 1, 5, 5]);
  });
});

describe('sizes', () => {
  test('have to be the same, which is told when the loader is made', async () => {
    const dataset = await imageFolder(tree.root);
    for (const transform of [[], [transforms.randomHorizontalFlip()], [transforms.resizeShorter(8)]])
      expect(() => new DataLoader(dataset, { batchSize: 2, transform })).toThrow(/gives all image files one size/);
    const sizes = [
      [
        [transforms.resizeShorter(8), transforms.centerCrop(6)],
        [6, 6],
      ],
      [
        [transforms.randomResizedCrop([4, 5]), transforms.resizeShorter(8)],
        [8, 10],
      ],
      [
        [transforms.resize([4, 5]), transforms.normalize(0, 1)],
        [4, 5],
      ],
    ] as const;
    for (const [transform, size] of sizes)
      expect(new DataLoader(dataset, { batchSize: 2, transform }).size).toEqual(size);
    expect(new DataLoader(dataset, { batchSize: 2, transform: sizes[0][0], resize: 3 }).size).toEqual([3, 3]);
  });

  test('options that do not go together are ConfigErrors', async () => {
    const dataset = await imageFolder(tree.root);
    for (const options of [
      { resize: 4, resident: true },
      { resize: 4, workers: -1 },
      { resize: 4, workers: 1000 },
      { resize: 4, balanced: true },
      { resize: 4, balanced: 1, shuffle: true },
      { resize: 4, transform: (x: unknown) => x },
      { resize: 4, transform: [transforms.normalize(0, 1), transforms.randomHorizontalFlip()] },
      { resize: 4, transform: transforms.normalize([0, 0], [1, 1]) },
    ])
      expect(() => new DataLoader(dataset, { batchSize: 2, ...options } as never)).toThrow(
        expect.objectContaining({ code: 'CONFIG_ERROR' }),
      );
    expect(() => new DataLoader(dataset.take(0), { batchSize: 2, resize: 4 })).toThrow(
      expect.objectContaining({ code: 'DATA_ERROR' }),
    );
  });
});

// libvips and the host's own resize are two programs: they agree on smooth pictures up to rounding, and where a JPEG file or a whole image
// is scaled before it is cut, up to half a pixel.
describe('decoding together with cutting and resizing gives what one after the other gives', () => {
  const sides = [240, 180] as const;
  const cases: [string, Transform, number][] = [
    ['resized', transforms.resize([40, 50]), 2],
    ['resized to more', transforms.resize([300, 200]), 2],
    ['by the shorter side', transforms.resizeShorter(60), 2],
    ['a small region', transforms.randomResizedCrop(64, { scale: [0.08, 0.1] }), 2],
    ['a large region, much smaller', transforms.randomResizedCrop(24, { scale: [0.5, 0.9] }), 8],
  ];

  test.each(
    cases.flatMap(([name, transform, most]) =>
      ['png', 'jpeg'].map((format) => [name, format, transform, most] as const),
    ),
  )('%s, %s', async (name, format, transform, most) => {
    const picture = gradient(...sides);
    const bytes = await (format === 'png' ? picture.png() : picture.jpeg({ quality: 100 })).toBuffer();
    const file = await folder.write(`${name.replaceAll(' ', '-')}.${format}`, bytes);
    const plain = await decodeImage(file);
    const [width, height] = sides;
    for (let position = 0; position < 6; position++) {
      const size = name === 'by the shorter side' ? ([60, 80] as const) : fixedSize(transform)!;
      const job = (source: SampleJob['source']): SampleJob => ({
        ...{ source, transforms: [transform], seed: 3, stream: 0, epoch: 0, position, channels: 3, size },
        out: new Uint8Array(3 * size[0] * size[1]),
      });
      const together = job({ files: [file], background: [0, 0, 0] });
      const apart = job({ pixels: plain.pixels, size: [height, width] });
      expect(await makeSamples(together)).toEqual([]);
      await makeSamples(apart);
      const worst = together.out.reduce((most, value, i) => Math.max(most, Math.abs(value - apart.out[i]!)), 0);
      expect(worst).toBeLessThanOrEqual(format === 'jpeg' ? most + 4 : most);
    }
  });

  test('an upright region of a rotated file', async () => {
    const upright = gradient(120, 90);
    const rotated = await upright
      .clone()
      .rotate(270)
      .withMetadata({ orientation: 6 })
      .jpeg({ quality: 100 })
      .toBuffer();
    const file = await folder.write('rotated.jpg', rotated);
    const transform = transforms.randomResizedCrop(16, { scale: [0.2, 0.3] });
    const pixels = (await decodeImage(await upright.png().toBuffer())).pixels;
    for (const [position, side] of [16, 40].entries()) {
      const size = [side, side] as const;
      const job = (source: SampleJob['source']): SampleJob => ({
        ...{ source, transforms: [{ ...transform, size } as Transform], seed: 3, stream: 0, epoch: 0, position },
        ...{ channels: 3, size, out: new Uint8Array(3 * side * side) },
      });
      const together = job({ files: [file], background: [0, 0, 0] });
      const apart = job({ pixels, size: [90, 120] });
      await makeSamples(together);
      await makeSamples(apart);
      const worst = together.out.reduce((most, value, i) => Math.max(most, Math.abs(value - apart.out[i]!)), 0);
      expect(worst).toBeLessThanOrEqual(10);
    }
  });
});

test('files that are given one by one', async () => {
  const files = tree.broken.map((_, i) => join(tree.root, `animals/dog/${i}.jpg`));
  const dataset = new ImageFiles({
    files,
    labels: [299, 300],
    classNames: Array.from({ length: 301 }, (_, i) => `${i}`),
  });
  expect((await batchesOf(new DataLoader(dataset, { batchSize: 2, resize: 4 })))[0]?.labels).toEqual([299, 300]);
});

test('a strip that would be huge once its shorter side is resized is broken, and never decoded', async () => {
  const file = await folder.write('strip.png', await gradient(39_062, 1).png().toBuffer());
  const job: SampleJob = {
    source: { files: [file], background: [255, 255, 255] },
    transforms: [transforms.resizeShorter(16_384), transforms.centerCrop(8)],
    ...{ seed: 0, stream: 0, epoch: 0, position: 0, channels: 3, size: [8, 8] },
    out: new Uint8Array(3 * 8 * 8),
  };
  expect(await makeSamples(job)).toMatchObject([{ index: 0, file, reason: '39062 x 1 pixels' }]);
});
