// Pairs of IDX files: images and labels that belong together.
import { expect, test } from 'vitest';
import { idxDataset } from '../../lib/data/idx-dataset.js';
import { countUp, idxBytes, rejection, temporaryFolder } from './idx-files.js';

const folder = temporaryFolder();

async function pair(images: Uint8Array, labels: Uint8Array): Promise<[string, string]> {
  return [await folder.write('images', images), await folder.write('labels.gz', folder.gzip(labels))];
}

test('reads images and labels', async () => {
  const [images, labels] = await pair(idxBytes([3, 2, 4], countUp(24)), idxBytes([3], [9, 0, 5]));
  const dataset = await idxDataset(images, labels);
  expect(dataset.length).toBe(3);
  expect(dataset.shape).toEqual([1, 2, 4]);
  expect([...dataset.labels]).toEqual([9, 0, 5]);
  expect(dataset.images).toEqual(countUp(24));
  expect(dataset.classNames).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
});

test('refuses a label that is no class, with its place', async () => {
  const [images, labels] = await pair(idxBytes([3, 2, 4], countUp(24)), idxBytes([3], [9, 10, 5]));
  expect(await rejection(idxDataset(images, labels))).toMatchObject({
    code: 'DATA_ERROR',
    details: { file: labels, offset: 9, expected: 'a label from 0 to 9', found: 10 },
  });
  expect(await rejection(idxDataset(images, labels, { classNames: ['a', 'b'] }))).toMatchObject({
    details: { offset: 8, found: 9 },
  });
});

test('refuses files with different counts, and images of no size', async () => {
  const [images, labels] = await pair(idxBytes([3, 2, 4], countUp(24)), idxBytes([2], [1, 2]));
  expect(await rejection(idxDataset(images, labels))).toMatchObject({
    code: 'DATA_ERROR',
    details: { file: images, expected: 2, found: 3 },
  });
  const [flat, two] = await pair(idxBytes([2, 0, 4], []), idxBytes([2], [1, 2]));
  expect(await rejection(idxDataset(flat, two))).toMatchObject({
    code: 'DATA_ERROR',
    details: { file: flat, found: '0 x 4' },
  });
});

test('refuses images in place of labels', async () => {
  const [images] = await pair(idxBytes([3, 2, 4], countUp(24)), idxBytes([3], [1, 2, 3]));
  expect(await rejection(idxDataset(images, images))).toMatchObject({
    code: 'DATA_ERROR',
    details: { file: images, offset: 3 },
  });
});
