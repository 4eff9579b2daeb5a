// The picture of a run of the chapter's net: its words, and the test images with their predictions.
import { DataLoader } from '../data/data-loader.js';
import type { Dataset } from '../data/dataset.js';
import type { Device } from '../device.js';
import type { Block } from '../nn/index.js';
import { evaluateClasses } from '../train/index.js';
import type { Prediction } from '../train/report/grid.js';
import { reportSvg } from '../train/report/report.js';
import { count, duration } from './format.js';
import { chapterRecipe, type Recipe, recipeOf, trainingImages } from './recipe.js';
import type { RunRecord } from './run-record.js';

const imagesShown = 24;

/** The SVG of a finished run. `test`: images as they are in their files. */
export async function runReport(run: RunRecord, net: Block, test: Dataset, device: Device): Promise<string> {
  return reportSvg({
    title: `ResNet-18 on ${run.data}`,
    subtitle: subtitle(run),
    epochs: run.epochs.map(({ epoch, loss, trainAccuracy, validation }) => {
      return { epoch, loss, trainAccuracy, testAccuracy: validation?.top1 ?? Number.NaN };
    }),
    predictions: await predictions(run, net, test.take(imagesShown), device),
    footnotes: footnotes(run),
  });
}

function subtitle({ config, trainImages, seconds }: RunRecord): string {
  const { resize, epochs, batchSize, learningRate } = recipeOf(config);
  return [
    `${config.device}: ${resize}x${resize} pixels`,
    `${epochs} ${epochs === 1 ? 'epoch' : 'epochs'} of ${count(trainImages)} images`,
    `batches of ${batchSize}`,
    `learning rate ${learningRate}`,
    ...(config.precision === 'float32' ? [] : [config.precision]),
    `seed ${config.seed}`,
    duration(seconds),
  ].join(', ');
}

/** Each fits on one line of the picture. */
function footnotes({ config, trainImages, testImages, environment }: RunRecord): string[] {
  const { resize, epochs } = chapterRecipe;
  const recipe = recipeOf(config);
  const isSame =
    trainImages === trainingImages &&
    (Object.keys(chapterRecipe) as (keyof Recipe)[]).every((key) => recipe[key] === chapterRecipe[key]);
  return [
    `The chapter's curves are its published numbers: ${resize}x${resize} pixels, ${epochs} epochs, all 60,000 training images, on a GPU.`,
    isSame
      ? 'This run follows the same recipe.'
      : `This run: ${recipe.resize}x${recipe.resize} pixels, ${recipe.epochs} ${recipe.epochs === 1 ? 'epoch' : 'epochs'}, ` +
        `${count(trainImages)} training and ${count(testImages)} test images: not the same recipe.`,
    `It ran on ${environment.device}: ${environment.processor}, ${environment.cores} cores; Node ${environment.node}, residua ${environment.residua}.`,
  ];
}

async function predictions({ config }: RunRecord, net: Block, images: Dataset, device: Device): Promise<Prediction[]> {
  const { precision, data } = config;
  const predicted: number[] = [];
  const loader = new DataLoader(images, { batchSize: images.length, resize: data.size, device });
  await evaluateClasses(loader, net, device, {
    precision,
    onBatch: (guesses) => void predicted.push(...guesses),
  });
  const [channels, height, width] = images.shape;
  const size = channels * height * width;
  const nameOf = (label: number | undefined): string => images.classNames[label as number] ?? `class ${label}`;
  return predicted.map((guess, i) => ({
    image: { pixels: images.images.subarray(i * size, i * size + height * width), width, height },
    predicted: nameOf(guess),
    actual: nameOf(images.labels[i]),
  }));
}
