// Data sets and loaders: `data` of the public API.
export type { LastBatch } from './batch-plan.js';
export { type Cifar100Options, type CifarOptions, cifar10, cifar100 } from './cifar.js';
export { cifar10Labels, cifar100CoarseLabels, cifar100Labels } from './cifar-names.js';
export { DataLoader } from './data-loader.js';
export { ArrayDataset, type ArrayDatasetOptions, type Dataset } from './dataset.js';
export { type DownloadOptions, downloadFile } from './download.js';
export type { DownloadProgress } from './download-progress.js';
export {
  type FashionMnistOptions,
  fashionMnist,
  fashionMnistFolders,
  fashionMnistLabels,
  type LoadFashionMnistOptions,
  loadDataFashionMnist,
} from './fashion-mnist.js';
export { type IdxArray, type IdxOptions, readIdx } from './idx.js';
export type { Download } from './idx-collection.js';
export { type IdxDatasetOptions, idxDataset } from './idx-dataset.js';
export { type DecodeOptions, decodeImage, type HostImage } from './image.js';
export { ImageFiles, type ImageFilesOptions, type OnBroken } from './image-files.js';
export { type ImageFolderOptions, imageFolder } from './image-folder.js';
export type { DataLoaderOptions, LoaderDataset } from './loader-options.js';
export { type MnistOptions, mnist } from './mnist.js';
export { type SplitOptions, split } from './split.js';
export { type SyntheticOptions, synthetic } from './synthetic.js';
export * as transforms from './transforms/index.js';
