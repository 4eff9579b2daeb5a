// What an image costs in residua as the batch grows (R18 at 96x96) and as the net grows (ResNet-18 to 152), in training and in
// inference. Writes bench/results/growth-cpu.json and two plots beside it, growth-cpu.svg.
// npm run bench -- growth [--model r18@96] [--inference-batches 1,4,16,64,256] [--training-batches 16,64,256]
//   [--depths 18,34,50,101,152] [--size 224] [--depth-batch 8] [--precision float32] [--threads 2] [--steps 7] [--out FILE]
import { at, picture } from '../lib/train/report/svg.js';
import { integer, integers, main, parseOptions, words } from './arguments.js';
import { linePlot, plotHeight, plotWidth } from './charts/lines.js';
import { median, resultFile, runScript, type StepRun, writeResult, writeText } from './harness.js';
import { type Task, tasks } from './make-step.js';
import { workOf } from './model-work.js';
import { modelOf } from './models.js';

interface Point {
  task: Task;
  model: string;
  batch: number;
  millisecondsPerImage: number;
  gflopPerImage: number;
  gflops: number;
  peakRssGB: number;
}

interface Settings {
  precision: string;
  threads: number;
  steps: number;
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits));

function measure(model: string, task: Task, batch: number, { precision, threads, steps }: Settings): Point {
  const args = ['--model', model, '--task', task, '--batch', String(batch), '--precision', precision];
  const outcome = runScript<StepRun>('step.ts', [
    ...args,
    '--threads',
    String(threads),
    '--steps',
    String(steps),
    '--min-seconds',
    '1',
  ]);
  if ('failed' in outcome) throw new Error(`${model}, ${task}, batch ${batch} failed: ${outcome.failed}`);
  const seconds = median(outcome.result.seconds) / batch;
  const gflop = workOf(modelOf(model))[task];
  const point: Point = {
    task,
    model,
    batch,
    millisecondsPerImage: round(seconds * 1000, 3),
    gflopPerImage: round(gflop, 3),
    gflops: round(gflop / seconds, 1),
    peakRssGB: round(outcome.result.peakRssBytes / 1e9, 2),
  };
  const { millisecondsPerImage, gflops, peakRssGB } = point;
  process.stdout.write(
    `${model.padEnd(14)} ${task.padEnd(9)} batch ${String(batch).padStart(3)}  ${millisecondsPerImage} ms an image, ${gflops} GFLOP/s, ${peakRssGB} GB\n`,
  );
  return point;
}

function plots(
  byBatch: readonly Point[],
  byDepth: readonly Point[],
  title: string,
  size: number,
  depthBatch: number,
): string {
  const line = (points: readonly Point[], task: Task, x: (point: Point) => number) => ({
    name: task,
    points: points
      .filter((point) => point.task === task)
      .map((point) => [x(point), point.millisecondsPerImage] as const),
  });
  const depthOf = ({ model }: Point): number => Number(/^resnet(\d+)@/.exec(model)?.[1]);
  const gap = 40;
  const [width, height] = [2 * plotWidth + gap + 32, plotHeight + 32];
  return picture(
    { width, height },
    at(
      16,
      16,
      linePlot({
        title,
        xTitle: 'batch size',
        yTitle: 'ms an image',
        logarithmic: true,
        lines: tasks.map((task) => line(byBatch, task, ({ batch }) => batch)),
      }),
    ),
    at(
      16 + plotWidth + gap,
      16,
      linePlot({
        title: `ResNet-18 to 152 at ${size}x${size}, batch ${depthBatch}`,
        xTitle: 'layers',
        yTitle: 'ms an image',
        logarithmic: false,
        lines: tasks.map((task) => line(byDepth, task, depthOf)),
      }),
    ),
  );
}

await main(() => {
  const values = parseOptions({
    model: { type: 'string', default: 'r18@96' },
    'inference-batches': { type: 'string', default: '1,4,16,64,256' },
    'training-batches': { type: 'string', default: '16,64,256' },
    depths: { type: 'string', default: '18,34,50,101,152' },
    size: { type: 'string', default: '224' },
    'depth-batch': { type: 'string', default: '8' },
    precision: { type: 'string', default: 'float32' },
    threads: { type: 'string', default: '2' },
    steps: { type: 'string', default: '7' },
    out: { type: 'string', default: '' },
  });
  const [size, depthBatch] = [integer('size', values.size), integer('depth-batch', values['depth-batch'])];
  const settings: Settings = {
    precision: words('precision', values.precision, ['float32', 'bfloat16'])[0]!,
    threads: integer('threads', values.threads),
    steps: integer('steps', values.steps),
  };
  const model = modelOf(values.model);
  const batches: Readonly<Record<Task, number[]>> = {
    inference: integers('inference-batches', values['inference-batches']),
    training: integers('training-batches', values['training-batches']),
  };
  const names = integers('depths', values.depths).map((depth) => modelOf(`resnet${depth}@${size}`).name);
  const byBatch = tasks.flatMap((task) => batches[task].map((batch) => measure(values.model, task, batch, settings)));
  const byDepth = tasks.flatMap((task) => names.map((name) => measure(name, task, depthBatch, settings)));
  const title = `${model.title}, ${settings.precision}`;
  writeResult('growth-cpu', { ...settings, byBatch, byDepth }, values.out);
  writeText(
    (values.out || resultFile('growth-cpu')).replace(/(\.json)?$/, '.svg'),
    plots(byBatch, byDepth, title, size, depthBatch),
  );
});
