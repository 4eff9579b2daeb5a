// The picture of a training run: learning curves beside the chapter's, and test images with their predictions.
import { chart, type Series } from './curves.js';
import { grid, gridHeight, type Prediction } from './grid.js';
import { publishedRun } from './published.js';
import { at, colours, picture, text } from './svg.js';

/** What a report shows. */
export interface ReportInput {
  /** One line: the model and the data. */
  title: string;
  /** One line: how this run was made. */
  subtitle: string;
  /** Numbered from 1. Accuracies from 0 to 1. */
  epochs: readonly { epoch: number; loss: number; trainAccuracy: number; testAccuracy: number }[];
  predictions: readonly Prediction[];
  /** Lines under the picture. */
  footnotes: readonly string[];
}

const width = 1200;
const margin = 44;
const columns = 8;
const chartHeight = 350;
const gap = 48;

/** The report as one self-contained SVG of 1200 pixels' width. */
export async function reportSvg(input: ReportInput): Promise<string> {
  const chartsTop = 100;
  const gridTop = chartsTop + chartHeight + 84;
  const notesTop = gridTop + gridHeight(input.predictions.length, columns) + 18;
  const height = notesTop + input.footnotes.length * 20 + 14;
  const chartWidth = (width - 2 * margin - gap) / 2;
  return `${picture(
    { width, height, title: input.title, description: [input.subtitle, ...input.footnotes].join(' ') },
    text(margin, 46, input.title, { 'font-size': 24, 'font-weight': 700 }),
    text(margin, 72, input.subtitle, { 'font-size': 14, fill: colours.muted }),
    at(margin, chartsTop, await lossChart(input, chartWidth)),
    at(margin + chartWidth + gap, chartsTop, await accuracyChart(input, chartWidth)),
    at(margin, gridTop - 26, gridHeading(input.predictions)),
    at(margin, gridTop, grid(input.predictions, columns, width - 2 * margin)),
    ...input.footnotes.map((line, i) =>
      text(margin, notesTop + 12 + i * 20, line, { 'font-size': 12.5, fill: colours.muted }),
    ),
  )}\n`;
}

function lossChart({ epochs }: ReportInput, chartWidth: number): Promise<string> {
  return chart({
    title: 'Training loss',
    yTitle: 'mean cross-entropy',
    yFormat: '.2f',
    fromZero: true,
    width: chartWidth,
    height: chartHeight,
    series: [
      published(publishedRun.loss),
      thisRun(
        'this run',
        epochs.map((e) => [e.epoch, e.loss]),
      ),
    ],
  });
}

function accuracyChart({ epochs }: ReportInput, chartWidth: number): Promise<string> {
  return chart({
    title: 'Accuracy',
    yTitle: 'images classified correctly',
    yFormat: '.0%',
    fromZero: false,
    width: chartWidth,
    height: chartHeight,
    series: [
      published(publishedRun.testAccuracy, 'the chapter, test'),
      {
        ...thisRun(
          'this run, training',
          epochs.map((e) => [e.epoch, e.trainAccuracy]),
        ),
        colour: colours.runTrain,
        shape: 'triangle-up',
        dash: [2, 3],
      },
      thisRun(
        'this run, test',
        epochs.map((e) => [e.epoch, e.testAccuracy]),
      ),
    ],
  });
}

function thisRun(name: string, points: Series['points']): Series {
  return { name, points, colour: colours.run, dash: [], shape: 'circle', filled: true };
}

function published(values: readonly number[], name = 'the chapter, published'): Series {
  const points = values.map((value, i) => [i + 1, value] as const);
  return { name, points, colour: colours.published, dash: [7, 4], shape: 'diamond', filled: false };
}

function gridHeading(predictions: readonly Prediction[]): string {
  const wrong = predictions.filter((p) => p.predicted !== p.actual).length;
  const heading = `The first ${predictions.length} test images: ${predictions.length - wrong} classified correctly, ${wrong} wrongly`;
  return text(0, 0, heading, { 'font-size': 16, 'font-weight': 600 });
}
