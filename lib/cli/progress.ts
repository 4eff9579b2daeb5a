// Progress of a training on stderr: a bar on a terminal, a line now and then elsewhere. stdout is left to the results.
import { SingleBar } from 'cli-progress';
import type { FitBatch } from '../train/index.js';
import { count, duration } from './format.js';
import { barPart, type LinePart, progressLine } from './progress-line.js';

/** Where progress is written: process.stderr, or a stand-in. */
export interface ProgressStream extends NodeJS.WritableStream {
  isTTY?: boolean;
}

export interface ProgressOptions {
  /** Default process.stderr. */
  stream?: ProgressStream;
  /** In milliseconds. Default performance.now. */
  now?: () => number;
  /** The memory in use, as people read it; shown last. Default: not shown. */
  memory?: () => string;
}

const secondsBetweenLines = 10;
const speedOverSteps = 20;

/** What a bar shows: batches of the epoch, those done, and the words before and behind it. */
interface Shown {
  total: number;
  value: number;
  words: BarWords;
}

interface BarWords {
  /** 'epoch 1/3' */
  epoch: string;
  figures: readonly Figure[];
}

/** A number with its unit or name. */
interface Figure {
  text: string;
  /** As `LinePart.rank`. */
  rank: number;
}

/** Shows the progress of `epochs` epochs. */
export class Progress {
  readonly #epochs: number;
  readonly #stream: ProgressStream;
  readonly #now: () => number;
  readonly #memory: (() => string) | undefined;
  readonly #bar: SingleBar | undefined;
  #barRuns = false;
  /** What the bar showed last. */
  #shown: Shown | null = null;
  #lastLine: number;
  /** Epoch of the last step. */
  #epoch = 0;
  /** Ends of the last steps of this epoch, with the images so far. */
  #recent: { time: number; images: number }[] = [];
  #images = 0;
  #first: { time: number; batches: number } | undefined;

  constructor(
    epochs: number,
    { stream = process.stderr, now = () => performance.now(), memory }: ProgressOptions = {},
  ) {
    this.#epochs = epochs;
    this.#stream = stream;
    this.#now = now;
    this.#memory = memory;
    this.#lastLine = now();
    if (stream.isTTY) this.#bar = makeBar(stream);
  }

  /** Speed of the last steps in images a second; undefined until there are two. */
  get imagesPerSecond(): number | undefined {
    const [first, last] = [this.#recent[0], this.#recent.at(-1)];
    if (!first || !last || last.time <= first.time) return undefined;
    return ((last.images - first.images) / (last.time - first.time)) * 1000;
  }

  /** One step is done. */
  step(at: FitBatch): void {
    const time = this.#now();
    const isNewEpoch = at.epoch !== this.#epoch;
    this.#epoch = at.epoch;
    this.#images += at.images;
    if (isNewEpoch) this.#recent = []; // what lies between epochs is not training
    this.#recent.push({ time, images: this.#images });
    if (this.#recent.length > speedOverSteps) this.#recent.shift();
    this.#first ??= { time, batches: batchesDone(at) };
    if (this.#bar) this.#draw(this.#bar, at, time, isNewEpoch);
    else if (time - this.#lastLine >= secondsBetweenLines * 1000) {
      this.#lastLine = time;
      this.#stream.write(`${this.#line(at, time)}\n`);
    }
  }

  /** Runs `write`, which prints whole lines, with the bar out of the way; it is drawn again below them. */
  interrupt(write: () => void): void {
    const shown = this.#barRuns ? this.#shown : null;
    this.stop();
    write();
    if (this.#bar && shown) this.#start(this.#bar, shown);
  }

  /** Takes the bar away; the next step brings it back. */
  stop(): void {
    if (this.#barRuns) this.#bar?.stop();
    this.#barRuns = false;
  }

  #draw(bar: SingleBar, at: FitBatch, time: number, isNewEpoch: boolean): void {
    const words: BarWords = { epoch: this.#epochOf(at), figures: this.#figures(at, time) };
    const shown = { total: batchesOf(at), value: at.batch, words };
    if (this.#barRuns && !isNewEpoch) {
      this.#shown = shown;
      bar.update(at.batch, words);
      return;
    }
    this.stop();
    this.#start(bar, shown);
  }

  #start(bar: SingleBar, shown: Shown): void {
    bar.start(shown.total, shown.value, shown.words);
    this.#shown = shown;
    this.#barRuns = true;
  }

  #line(at: FitBatch, time: number): string {
    const figures = this.#figures(at, time).map(({ text }) => text);
    return `${this.#epochOf(at)}, batch ${at.batch}/${batchesOf(at)}: ${figures.join(', ')}`;
  }

  #epochOf = ({ epoch }: FitBatch): string => `epoch ${epoch}/${this.#epochs}`;

  #figures(at: FitBatch, time: number): Figure[] {
    const speed = this.imagesPerSecond;
    const left = this.#secondsLeft(at, time);
    const figure = (rank: number, text: string | undefined): Figure[] => (text === undefined ? [] : [{ text, rank }]);
    return [
      ...figure(6, speed === undefined ? undefined : `${count(Math.round(speed))} images/s`),
      ...figure(3, `loss ${at.loss.toFixed(3)}`),
      ...figure(5, `acc ${at.accuracy.toFixed(3)}`),
      ...figure(8, `lr ${Number(at.learningRate.toPrecision(3))}`),
      ...figure(4, left === undefined ? undefined : `${duration(left)} left`),
      ...figure(9, this.#memory?.()),
    ];
  }

  /** From the mean time of all batches after the first step, in which everything is set up. */
  #secondsLeft(at: FitBatch, time: number): number | undefined {
    const done = batchesDone(at);
    if (!this.#first || done <= this.#first.batches) return undefined;
    const perBatch = (time - this.#first.time) / (done - this.#first.batches) / 1000;
    return (this.#epochs * batchesOf(at) - done) * perBatch;
  }
}

/** Batches of the epoch, as far as known. */
const batchesOf = (at: FitBatch): number => at.batches ?? at.batch;

/** Of all epochs so far. */
const batchesDone = (at: FitBatch): number => (at.epoch - 1) * batchesOf(at) + at.batch;

function makeBar(stream: ProgressStream): SingleBar {
  return new SingleBar({
    format: (_options, { progress, value, total, maxWidth }, words: BarWords) =>
      progressLine(barParts(words, { progress, value, total }), maxWidth),
    stream,
    clearOnComplete: true,
    gracefulExit: false, // Ctrl-C is handled by the command
    hideCursor: false,
  });
}

function barParts(
  { epoch, figures }: BarWords,
  { progress, value, total }: { progress: number; value: number; total: number },
): LinePart[] {
  return [
    { forms: [epoch], rank: 1, separator: ' ' },
    barPart(progress, 7),
    { forms: [`${value}/${total}`], rank: 2, separator: ' ' },
    ...figures.map(({ text, rank }) => ({ forms: [text], rank, separator: ', ' })),
  ];
}
