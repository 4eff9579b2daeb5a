// The labelled images that a trained net is evaluated on: those of its run, or others, cut to what it takes.
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type DataSets, dataSets } from '../config/data-sets.js';
import { evaluatedPart, imageFolders } from '../config/image-folders.js';
import { type DataConfig, type DataName, readConfigFile, resolveConfig, type TrainConfig } from '../config/index.js';
import { DataLoader } from '../data/data-loader.js';
import { ImageFiles } from '../data/image-files.js';
import { imageFolder } from '../data/image-folder.js';
import type { LoaderDataset } from '../data/loader-options.js';
import { centerCrop, normalize, resizeShorter } from '../data/transforms/index.js';
import type { Device } from '../device.js';
import { ConfigError, DataError } from '../errors.js';
import { imageSources, standardInput } from './image-sources.js';
import type { NetRecord } from './net-record.js';
import type { RunFolder } from './run-folder.js';

export interface EvaluationChoice {
  /** Default: the test images of the run's data; without a run those of Fashion-MNIST. */
  data?: DataName;
  /** Folder of a known data set's files. */
  dataRoot?: string;
  /** In place of `data`: a file with paths of images and folders, or '-'. */
  filesFrom?: string;
  /** Only the first so many. */
  limit?: number;
}

export interface EvaluationImages {
  /** What they are called. */
  name: string;
  /** Which of the data set's images they are; 'all' those of a list, or of a folder that has no parts. */
  part: 'test' | 'validation' | 'training' | 'all';
  images: LoaderDataset;
}

/** `run`: the folder in which the net's run may lie. Throws ConfigError where the images do not fit the net. */
export async function evaluationImages(
  record: NetRecord,
  choice: EvaluationChoice,
  run: RunFolder,
): Promise<EvaluationImages> {
  const found =
    choice.filesFrom === undefined
      ? await imagesOfData(record, choice, run)
      : await listedImages(choice.filesFrom, record);
  return choice.limit === undefined ? found : { ...found, images: found.images.take(choice.limit) };
}

async function imagesOfData(record: NetRecord, choice: EvaluationChoice, run: RunFolder): Promise<EvaluationImages> {
  const config = existsSync(run.config) ? resolveConfig(readConfigFile(run.config), { device: 'cpu' }) : null;
  const name = choice.data ?? config?.data.name ?? 'fashion-mnist';
  const isOthersFolder = choice.data?.startsWith('folder:') === true;
  const { part, images } = isOthersFolder
    ? await folderImages(name, record)
    : { part: evaluatedPart(name), images: await testImages(name, choice, config) };
  checkFits(name, images, record);
  return { name, part, images };
}

/** The test images of the folder, where it has such a part, else all; classes are numbered as the net's. */
async function folderImages(
  name: DataName,
  { classNames, inputShape }: NetRecord,
): Promise<Pick<EvaluationImages, 'part' | 'images'>> {
  const { train, test } = imageFolders(name);
  const images = await imageFolder(test ?? train, {
    classNames: classNames.length > 0 ? classNames : undefined,
    channels: inputShape[0] as 1 | 3,
    onBroken: 'skip',
  });
  const whole = name === `folder:${train}` ? 'all' : 'training';
  return { part: test === null ? whole : evaluatedPart(name), images };
}

/** Each image is of the class whose name its folder's path ends with. Throws DataError and ConfigError: no images, a class that is none. */
async function listedImages(list: string, { classNames, inputShape }: NetRecord): Promise<EvaluationImages> {
  const name = list === standardInput ? 'standard input' : list;
  if (classNames.length === 0)
    throw new ConfigError('--files-from: expected a net with class names: --classes FILE.', { argument: '--classes' });
  const files: string[] = [];
  for await (const source of imageSources([], list)) {
    if ('error' in source) throw new DataError(source.error, { file: source.file });
    files.push(source.file);
  }
  if (files.length === 0)
    throw new DataError(`${name}: expected a path in each line, found none.`, { file: list, found: 0 });
  const labels = files.map((file) => classOf(file, classNames));
  const images = new ImageFiles({ files, labels, classNames, channels: inputShape[0] as 1 | 3, onBroken: 'skip' });
  return { name, part: 'all', images };
}

/** 'photos/animals/cat/1.jpg' -> the number of 'animals/cat', else of 'cat' */
function classOf(file: string, classNames: readonly string[]): number {
  const folder = dirname(resolve(file));
  const names = classNames.filter((name) => folder.endsWith(`/${name}`));
  const longest = names.reduce((a, b) => (b.length > a.length ? b : a), '');
  if (longest !== '') return classNames.indexOf(longest);
  throw new DataError(`${file}: expected a file in a folder of a class: ${classNames.join(', ')}.`, {
    file,
    expected: classNames,
    found: folder,
  });
}

async function testImages(
  name: DataName,
  { dataRoot }: EvaluationChoice,
  run: TrainConfig | null,
): Promise<LoaderDataset> {
  const own = run?.data.name === name ? run : null;
  const config = own ?? resolveConfig({ data: name, device: 'cpu' });
  const data = { ...config.data, root: dataRoot ?? config.data.root, limit: limitOf(config.data) };
  const { test }: DataSets = await dataSets({ data, seed: config.seed });
  if (test !== null) return test;
  throw new ConfigError(
    `${name} has no test images: its run kept none for validation. Name others: --data folder:PATH.`,
    {
      argument: '--data',
    },
  );
}

/** A run's limit leaves out test images where these are a part of the others. */
function limitOf({ name, limit }: DataConfig): number | null {
  if (name === 'synthetic') return limit;
  return name.startsWith('folder:') && imageFolders(name).test === null ? limit : null;
}

function checkFits(name: DataName, images: LoaderDataset, { model, classes, inputShape }: NetRecord): void {
  const channels = images instanceof ImageFiles ? images.channels : images.shape[0];
  const found = { channels, classes: images.classNames.length };
  if (found.channels === inputShape[0] && found.classes === classes) return;
  throw new ConfigError(
    `--data: expected images of ${inputShape[0]} channels in ${classes} classes, as this ${model} takes, got ${name} with ${found.channels} and ${found.classes}.`,
    { argument: '--data', expected: { channels: inputShape[0], classes }, found },
  );
}

/** Batches as the net takes them: files are resized and their middle is cut out, images in memory are resized. */
export function evaluationLoader(
  images: LoaderDataset,
  { inputShape, resize, normalization }: NetRecord,
  options: { batchSize: number; workers: number; device: Device },
): DataLoader<LoaderDataset> {
  const size = [inputShape[1], inputShape[2]] as const;
  const isFiles = images instanceof ImageFiles;
  return new DataLoader(images, {
    ...options,
    resize: isFiles ? undefined : size,
    transform: [
      ...(isFiles ? [resizeShorter(resize), centerCrop(size)] : []),
      ...(normalization ? [normalize(normalization.mean, normalization.std)] : []),
    ],
  });
}
