// A data set from a pair of IDX files: images and labels.
import { DataError } from '../errors.js';
import { ArrayDataset, type Dataset } from './dataset.js';
import { type IdxOptions, readIdx } from './idx.js';

export interface IdxDatasetOptions {
  /** Names of the classes; labels must be below their number. Default: '0' to '9'. */
  classNames?: readonly string[];
  /** What the images file must be like. Its dimensions are [n, height, width]. */
  images?: IdxOptions;
  /** What the labels file must be like. Its dimensions are [n]. */
  labels?: IdxOptions;
}

const labelsHeader = 8; // bytes before the first label

/** Reads one-channel images [n, height, width] and labels [n] from IDX files, plain or gzipped. Throws DataError. */
export async function idxDataset(
  imagesFile: string,
  labelsFile: string,
  options: IdxDatasetOptions = {},
): Promise<Dataset> {
  const classNames = options.classNames ?? Array.from({ length: 10 }, (_, i) => String(i));
  const labels = await readIdx(labelsFile, { dims: [null], ...options.labels });
  checkLabels(labelsFile, labels.values, classNames.length);
  const images = await readIdx(imagesFile, { dims: [null, null, null], ...options.images });
  const [count, height, width] = images.dims as [number, number, number];
  if (count !== labels.values.length) {
    throw new DataError(
      `${imagesFile} and ${labelsFile} do not belong together: expected ${labels.values.length} images, one a label, found ${count}.`,
      { file: imagesFile, offset: 4, expected: labels.values.length, found: count },
    );
  }
  if (height < 1 || width < 1) {
    throw new DataError(
      `IDX file ${imagesFile}, byte 8: expected images of at least 1 x 1 pixels, found ${height} x ${width}.`,
      {
        file: imagesFile,
        offset: 8,
        expected: 'at least 1 x 1',
        found: `${height} x ${width}`,
      },
    );
  }
  return new ArrayDataset({ images: images.values, labels: labels.values, shape: [1, height, width], classNames });
}

function checkLabels(file: string, labels: Uint8Array, classes: number): void {
  const wrong = labels.findIndex((label) => label >= classes);
  if (wrong < 0) return;
  const offset = labelsHeader + wrong;
  throw new DataError(
    `IDX file ${file}, byte ${offset}: expected a label from 0 to ${classes - 1}, found ${labels[wrong]}.`,
    {
      file,
      offset,
      expected: `a label from 0 to ${classes - 1}`,
      found: labels[wrong],
    },
  );
}
