// The picture of a run that `residua train` writes: its words, and the test images with their predictions.
import { DataLoader } from '../data/data-loader.js';
import type { Dataset } from '../data/dataset.js';
import type { Device } from '../device.js';
import type { Block } from '../nn/index.js';
import type { Prediction } from '../train/report/grid.js';
import { reportSvg } from '../train/report/report.js';
import { chapterModel } from './build-net.js';
import { evaluate } from './evaluation.js';
import { count, duration } from './format.js';
import { chapterRecipe, type Recipe, trainingImages } from './recipe.js';
import type { RunRecord } from './run-record.js';

const imagesShown = 24;

/** The SVG of a finished run. */
export async function runReport(run: RunRecord, net: Block, test: Dataset, device: Device): Promise<string> {
  return reportSvg({
    title: `${run.net.model === chapterModel ? 'ResNet-18' : run.model} on ${run.data}`,
    subtitle: subtitle(run),
    epochs: run.epochs,
    predictions: await predictions(net, test.take(imagesShown), run.config.resize, device),
    footnotes: footnotes(run),
  });
}

function subtitle({ config, seconds }: RunRecord): string {
  const { resize, epochs, batchSize, learningRate, precision } = config;
  return [
    `${config.device}: ${resize}x${resize} pixels`,
    `${epochs} ${epochs === 1 ? 'epoch' : 'epochs'} of ${count(config.trainImages)} images`,
    `batches of ${batchSize}`,
    `learning rate ${learningRate}`,
    ...(precision === 'float32' ? [] : [precision]),
    `seed ${config.seed}`,
    duration(seconds),
  ].join(', ');
}

/** Each fits on one line of the picture. */
function footnotes({ net, config, environment }: RunRecord): string[] {
  const { resize, epochs } = chapterRecipe;
  const isSame =
    net.model === chapterModel &&
    config.trainImages === trainingImages &&
    (Object.keys(chapterRecipe) as (keyof Recipe)[]).every((key) => config[key] === chapterRecipe[key]);
  return [
    `The chapter's curves are its published numbers: ${resize}x${resize} pixels, ${epochs} epochs, all 60,000 training images, on a GPU.`,
    isSame
      ? 'This run follows the same recipe.'
      : `This run: ${config.resize}x${config.resize} pixels, ${config.epochs} ${config.epochs === 1 ? 'epoch' : 'epochs'}, ` +
        `${count(config.trainImages)} training and ${count(config.testImages)} test images: not the same recipe.`,
    `It ran on ${environment.device}: ${environment.processor}, ${environment.cores} cores; Node ${environment.node}, residua ${environment.residua}.`,
  ];
}

async function predictions(net: Block, images: Dataset, resize: number, device: Device): Promise<Prediction[]> {
  const { predicted } = await evaluate(net, new DataLoader(images, { batchSize: images.length, resize, device }));
  const [channels, height, width] = images.shape;
  const size = channels * height * width;
  const nameOf = (label: number | undefined): string => images.classNames[label as number] ?? `class ${label}`;
  return predicted.map((guess, i) => ({
    image: { pixels: images.images.subarray(i * size, i * size + height * width), width, height },
    predicted: nameOf(guess),
    actual: nameOf(images.labels[i]),
  }));
}
