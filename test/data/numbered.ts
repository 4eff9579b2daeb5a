// A data set for tests of the DataLoader, and what a loader makes of it.
import { expect } from 'vitest';
import { ArrayDataset, type DataLoader, type Dataset } from '../../lib/data/index.js';
import { countUp } from './idx-files.js';

/** n images of one pixel; the label is the image's number. */
export function numbered(n: number): Dataset {
  return new ArrayDataset({ images: countUp(n), labels: countUp(n), shape: [1, 1, 1] });
}

/** The labels of each batch of an epoch. */
export async function epochLabels(loader: DataLoader): Promise<number[][]> {
  const batches: number[][] = [];
  for await (const [X, y] of loader) {
    const labels = [...(await y.data())];
    expect([...(await X.data())].map((pixel) => Math.round(pixel * 255))).toEqual(labels);
    batches.push(labels);
    X.dispose();
    y.dispose();
  }
  return batches;
}

export const range = (start: number, end: number): number[] => Array.from({ length: end - start }, (_, i) => start + i);
