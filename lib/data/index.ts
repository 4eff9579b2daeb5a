// Data sets and loaders: `data` of the public API.
export type { LastBatch } from './batch-plan.js';
export { DataLoader, type DataLoaderOptions } from './data-loader.js';
export { ArrayDataset, type ArrayDatasetOptions, type Dataset } from './dataset.js';
export {
  type FashionMnistOptions,
  fashionMnist,
  fashionMnistFolders,
  fashionMnistLabels,
  type LoadFashionMnistOptions,
  loadDataFashionMnist,
} from './fashion-mnist.js';
export { type IdxArray, type IdxOptions, readIdx } from './idx.js';
export { type IdxDatasetOptions, idxDataset } from './idx-dataset.js';
