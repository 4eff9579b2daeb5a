// Data sets and loaders: `data` of the public API.
export { type LastBatch } from './batch-plan.js';
export { DataLoader, type DataLoaderOptions } from './data-loader.js';
export { ArrayDataset, type ArrayDatasetOptions, type Dataset } from './dataset.js';
export {
  fashionMnist,
  fashionMnistLabels,
  type FashionMnistOptions,
  fashionMnistFolders,
  loadDataFashionMnist,
  type LoadFashionMnistOptions,
} from './fashion-mnist.js';
export { type IdxArray, type IdxOptions, readIdx } from './idx.js';
export { idxDataset, type IdxDatasetOptions } from './idx-dataset.js';
